package vm

import (
	"encoding/xml"
	"strings"
	"testing"
	"time"
)

func TestReport(t *testing.T) {
	var out strings.Builder
	r := &Report{Suite: "small", Out: &out, Began: time.Date(2026, 11, 26, 20, 0, 1, 0, time.UTC)}
	r.Property("remote_url", "https://updates.example.org/repo?a&b")
	r.Add(Result{Group: "base", Name: "boot", Outcome: Passed, Duration: 1500 * time.Millisecond})
	r.Add(Result{Group: "base", Name: "root", Outcome: Failed, Duration: time.Second, Text: "the <root> \x1b[31mis\x00 wrong\nexit status 1"})
	r.Add(Result{Group: "upgrade", Name: "pull", Outcome: Skipped, Text: "after base/root"})
	want := `  ok    base/boot                                        1.5s
  FAIL  base/root                                        1.0s
          the <root> [31mis wrong
          exit status 1
  skip  upgrade/pull                                  (after base/root)
`
	if out.String() != want {
		t.Errorf("shown:\n%s\nwant:\n%s", out.String(), want)
	}
	var file strings.Builder
	if err := r.WriteJUnit(&file); err != nil {
		t.Fatal(err)
	}
	wantFile := `<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="small" tests="3" failures="1" errors="0" skipped="1" time="2.500" timestamp="2026-11-26T20:00:01">
  <properties>
    <property name="remote_url" value="https://updates.example.org/repo?a&amp;b"></property>
  </properties>
  <testcase classname="small.base" name="boot" time="1.500"></testcase>
  <testcase classname="small.base" name="root" time="1.000">
    <failure message="the &lt;root&gt; [31mis wrong" type="failure">the &lt;root&gt; [31mis wrong&#xA;exit status 1</failure>
  </testcase>
  <testcase classname="small.upgrade" name="pull" time="0.000">
    <skipped message="after base/root"></skipped>
  </testcase>
</testsuite>
`
	if file.String() != wantFile {
		t.Errorf("JUnit file:\n%s\nwant:\n%s", file.String(), wantFile)
	}
}

// What a guest writes is anything at all; the file must be XML all the same.
func FuzzJUnit(f *testing.F) {
	f.Add("\x00\x1b]0;title\x07 ]]> \xff &amp; \ufffe")
	f.Fuzz(func(t *testing.T, text string) {
		r := &Report{Suite: "s", Out: &strings.Builder{}}
		r.Add(Result{Group: "g", Name: "n", Outcome: Failed, Text: text})
		r.Add(Result{Group: "g", Name: "m", Outcome: Skipped, Text: text})
		var file strings.Builder
		if err := r.WriteJUnit(&file); err != nil {
			t.Fatal(err)
		}
		var suite junitSuite
		if err := xml.Unmarshal([]byte(file.String()), &suite); err != nil {
			t.Fatalf("%v in\n%s", err, file.String())
		}
		if len(suite.Cases) != 2 || suite.Cases[0].Failure.Text != printable(text) {
			t.Errorf("%q comes back as %q", text, suite.Cases[0].Failure.Text)
		}
	})
}
