package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"golang.org/x/term"
)

// table is rows of cells in columns, for people to read.
type table struct {
	head []string
	rows [][]string
	// below are the columns, the first one first, that go to lines of their own below
	// their rows if the table is wider than the terminal.
	below []string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// width is how wide the terminal is that output goes to; 0 if it is not one.
func (c *command) width() int {
	if fd := int(c.Out.Fd()); term.IsTerminal(fd) {
		if w, _, err := term.GetSize(fd); err == nil {
			return w
		}
	}
	return 0
}

// write writes the table so that it fits, if its words allow that. A width of 0 sets no
// limit: programs find each row on one line.
func (t *table) write(w io.Writer, width int) error {
	moved := 0
	for width > 0 && moved < len(t.below) && t.natural(t.below[:moved]) > width {
		moved++
	}
	var text strings.Builder
	columns := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, cells := range append([][]string{t.head}, t.rows...) {
		fmt.Fprintln(columns, strings.Join(t.beside(cells, t.below[:moved]), "\t"))
	}
	if err := columns.Flush(); err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n")
	if moved > 0 {
		for i, row := range t.rows {
			lines[i+1] += t.under(row, t.below[:moved], width)
		}
	}
	_, err := io.WriteString(w, strings.Join(lines, "\n")+"\n")
	return err
}

// beside are the cells of a row except for some columns.
func (t *table) beside(cells, without []string) []string {
	var left []string
	for i, cell := range cells {
		if !slices.Contains(without, t.head[i]) {
			left = append(left, cell)
		}
	}
	return left
}

// under are the lines below a row, with what some columns say.
func (t *table) under(cells, columns []string, width int) string {
	const indent = "    "
	lines := ""
	for i, cell := range cells {
		if cell == "" || cell == "-" || !slices.Contains(columns, t.head[i]) {
			continue
		}
		title := strings.ToLower(t.head[i]) + ": "
		for j, line := range wrap(title+cell, width-2*len(indent)) {
			lines += "\n" + indent
			if j > 0 {
				lines += indent
			}
			lines += line
		}
	}
	return lines
}

// natural is how wide the table gets without some columns.
func (t *table) natural(without []string) int {
	var widths []int
	for _, row := range append([][]string{t.head}, t.rows...) {
		for i, cell := range t.beside(row, without) {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	sum := 0
	for _, w := range widths {
		sum += w + 2
	}
	return sum - 2
}
