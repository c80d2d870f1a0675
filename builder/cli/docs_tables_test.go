package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func readDoc(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(docsRoot, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// tableRow is a row of a table: the words in backticks in its first cell, the
// cell of the column "default" if there is one, and all of its text.
type tableRow struct {
	names             []string
	text, defaultCell string
}

// tableRows returns the rows of the tables below a heading, up to the next
// heading of any level.
func tableRows(t *testing.T, doc, heading string) []tableRow {
	t.Helper()
	_, rest, found := strings.Cut("\n"+doc, "\n"+heading+"\n")
	if !found {
		t.Errorf("there is no heading %q", heading)
		return nil
	}
	var rows []tableRow
	column := -1
	for line := range strings.Lines(rest) {
		if strings.HasPrefix(line, "#") {
			break
		}
		if !strings.HasPrefix(line, "| ") {
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if i := slices.Index(cells, "default"); i >= 0 {
			column = i
		}
		r := tableRow{text: line}
		if column >= 0 && column < len(cells) {
			r.defaultCell = cells[column]
		}
		for _, m := range inBackticks.FindAllStringSubmatch(cells[0], -1) {
			r.names = append(r.names, m[1])
		}
		if len(r.names) > 0 {
			rows = append(rows, r)
		}
	}
	return rows
}

// sameNames compares what a table names with what there is, and returns the
// row of each name.
func sameNames(t *testing.T, where string, rows []tableRow, want []string) map[string]tableRow {
	t.Helper()
	named := map[string]tableRow{}
	for _, r := range rows {
		for _, n := range r.names {
			if !slices.Contains(want, n) {
				t.Errorf("%s: the table names %q, which there is not", where, n)
			}
			named[n] = r
		}
	}
	for _, n := range want {
		if len(named[n].names) == 0 {
			t.Errorf("%s: the table does not name %q", where, n)
		}
	}
	return named
}

var docDelimiter = regexp.MustCompile(`^\|(-+\|)+$`)

// TestDocsTablesAreWhole: a blank line ends a table, and the rest of its rows is
// shown as text; text right after a table becomes a row; a "|" in code begins a cell.
func TestDocsTablesAreWhole(t *testing.T) {
	tables := 0
	for _, page := range docPages(t) {
		text := docFence.ReplaceAllStringFunc(readDoc(t, page), func(code string) string {
			return strings.Repeat("\n", strings.Count(code, "\n")) // the lines keep their numbers
		})
		lines := append(strings.Split(text, "\n"), "")
		for n := 0; n < len(lines); n++ {
			if !strings.HasPrefix(lines[n], "|") {
				continue
			}
			first := n
			for strings.HasPrefix(lines[n], "|") {
				if got, want := docCells(lines[n]), docCells(lines[first]); got != want {
					t.Errorf("%s:%d: the row has %d cells, its table %d", page, n+1, got, want)
				}
				n++
			}
			tables++
			if first > 0 && lines[first-1] != "" || lines[n] != "" {
				t.Errorf("%s:%d: there must be a blank line before and after a table", page, first+1)
			}
			if !docDelimiter.MatchString(lines[first+1]) {
				t.Errorf("%s:%d: the rows are not part of a table", page, first+1)
			}
		}
	}
	if tables < 20 {
		t.Errorf("found %d tables", tables)
	}
}

func docCells(row string) int { return strings.Count(strings.ReplaceAll(row, `\|`, ""), "|") - 1 }
