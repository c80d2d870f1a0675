package vm

import (
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode"
)

// Outcome is how a test ended.
type Outcome string

// The outcomes. A test is skipped when one before it failed on which it
// stands, or when there is nothing to test.
const (
	Passed  Outcome = "ok"
	Failed  Outcome = "FAIL"
	Skipped Outcome = "skip"
)

// Result is a test that was run, or skipped.
type Result struct {
	// Group is the feature that brings the test, or the scenario's part; Name
	// the test's within it.
	Group, Name string
	Outcome     Outcome
	Duration    time.Duration
	// Text is why it failed or was skipped.
	Text string
}

// Report collects results and shows each as it comes.
type Report struct {
	// Suite is the name of the whole, a flavour's.
	Suite   string
	Out     io.Writer
	Results []Result
	// Began is when it began, for the JUnit file.
	Began      time.Time
	properties []junitProperty
}

// Property notes something about the whole test for the JUnit file.
func (r *Report) Property(name, value string) {
	r.properties = append(r.properties, junitProperty{name, printable(value)})
}

// Add notes a result and shows it.
func (r *Report) Add(res Result) {
	r.Results = append(r.Results, res)
	line := fmt.Sprintf("  %-4s  %-44s %7.1fs", res.Outcome, res.Group+"/"+res.Name, res.Duration.Seconds())
	if res.Outcome == Skipped {
		line = fmt.Sprintf("  %-4s  %-44s  (%s)", res.Outcome, res.Group+"/"+res.Name, res.Text)
	}
	fmt.Fprintln(r.Out, line)
	if res.Outcome == Failed {
		for l := range strings.Lines(strings.TrimSpace(printable(res.Text)) + "\n") {
			fmt.Fprint(r.Out, "          "+l)
		}
	}
}

// Note shows a line that is not a result.
func (r *Report) Note(format string, args ...any) {
	fmt.Fprintf(r.Out, "        "+format+"\n", args...)
}

// Count returns how many tests had an outcome.
func (r *Report) Count(o Outcome) int {
	n := 0
	for _, res := range r.Results {
		if res.Outcome == o {
			n++
		}
	}
	return n
}

// The elements of a JUnit file, as CI systems read them.
type (
	junitSuite struct {
		XMLName    xml.Name         `xml:"testsuite"`
		Name       string           `xml:"name,attr"`
		Tests      int              `xml:"tests,attr"`
		Failures   int              `xml:"failures,attr"`
		Errors     int              `xml:"errors,attr"`
		Skipped    int              `xml:"skipped,attr"`
		Time       string           `xml:"time,attr"`
		Began      string           `xml:"timestamp,attr,omitempty"`
		Properties *junitProperties `xml:"properties"`
		Cases      []junitCase      `xml:"testcase"`
	}
	junitProperties struct {
		List []junitProperty `xml:"property"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Class   string     `xml:"classname,attr"`
		Name    string     `xml:"name,attr"`
		Time    string     `xml:"time,attr"`
		Failure *junitText `xml:"failure"`
		Skipped *junitText `xml:"skipped"`
	}
	junitText struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

// WriteJUnit writes the results as a JUnit file.
func (r *Report) WriteJUnit(w io.Writer) error {
	s := junitSuite{Name: r.Suite, Tests: len(r.Results), Failures: r.Count(Failed), Skipped: r.Count(Skipped)}
	if !r.Began.IsZero() {
		s.Began = r.Began.UTC().Format("2006-01-02T15:04:05")
	}
	if len(r.properties) > 0 {
		s.Properties = &junitProperties{r.properties}
	}
	var total time.Duration
	for _, res := range r.Results {
		total += res.Duration
		c := junitCase{Class: r.Suite + "." + res.Group, Name: res.Name, Time: seconds(res.Duration)}
		text := printable(res.Text)
		first, _, _ := strings.Cut(text, "\n")
		switch res.Outcome {
		case Failed:
			c.Failure = &junitText{Message: first, Type: "failure", Text: text}
		case Skipped:
			c.Skipped = &junitText{Message: text}
		}
		s.Cases = append(s.Cases, c)
	}
	s.Time = seconds(total)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(s); err != nil {
		return fmt.Errorf("write JUnit file: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// SaveJUnit writes the results to a file, as JUnit XML.
func (r *Report) SaveJUnit(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := r.WriteJUnit(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }

// printable drops what neither a terminal nor XML should be given: control
// characters (escape sequences begin with one) and invalid UTF-8.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return -1
	}, strings.ToValidUTF8(s, "?"))
}
