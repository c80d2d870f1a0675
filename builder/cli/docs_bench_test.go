package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestReadmeHasAllMeasurements: the table of figures in README.md has a row for each result of test/bench, also
// for those that were not measured, in the same order, and the date and commit of each figure.
func TestReadmeHasAllMeasurements(t *testing.T) {
	script, err := os.ReadFile(filepath.Join(docsRoot, "test/bench-tables"))
	if err != nil {
		t.Fatal(err)
	}
	_, titles, _ := strings.Cut(string(script), "\ntitles=\"")
	titles, _, ok := strings.Cut(titles, "\"\n")
	lines := strings.Split(titles, "\n")
	if !ok || len(lines) < 15 {
		t.Fatalf("test/bench-tables has %d titles: the test looks in the wrong place", len(lines))
	}
	_, table, _ := strings.Cut(readDoc(t, "README.md"), "<!-- bench: begin")
	table, _, ok = strings.Cut(table, "<!-- bench: end")
	if !ok {
		t.Fatal("README.md lacks the marks between which the table is")
	}
	rows := regexp.MustCompile(`(?m)^\| ([^|]+) \| ([^|]+) \|[^|]*\|[^|]*\|([^|]*)\|$`).FindAllStringSubmatch(table, -1)
	if len(rows) != len(lines)+1 {
		t.Fatalf("the table has %d rows below its head, and test/bench has %d titles: run test/bench --readme", len(rows)-1, len(lines))
	}
	dated := regexp.MustCompile(`^ 20\d\d-\d\d-\d\d [0-9a-f]{7}`)
	for i, row := range rows[1:] {
		_, title, _ := strings.Cut(lines[i], "=")
		want := strings.ReplaceAll(regexp.QuoteMeta(title), `\$commits`, `\d+`)
		if !regexp.MustCompile("^" + want + "$").MatchString(row[1]) {
			t.Errorf("row %d is %q, and in test/bench it is %q: run test/bench --readme", i+1, row[1], title)
		}
		if measured := row[2] != "not measured"; measured != dated.MatchString(row[3]) {
			t.Errorf("%s: %s, date and commit %q", row[1], row[2], row[3])
		}
	}
}
