package cli

import (
	"strings"
	"unicode/utf8"
)

// showWidth is how wide lines get if their words allow it.
const showWidth = 80

// shownRow is something for people to read: what is so, and why. Of several values
// each has a line of its own.
type shownRow struct {
	name   string
	values []string
	from   string
}

// layout writes rows in columns. Where something comes from has a line of its own if
// the space beside the value is too small.
func layout(rows []shownRow) string {
	names := 0
	for _, r := range rows {
		names = max(names, utf8.RuneCountInString(r.name))
	}
	names = min(names, showWidth/2)
	values, beside := widthOfValues(rows, names)
	var b strings.Builder
	for _, r := range rows {
		line, below := join(r, names, values), ""
		if utf8.RuneCountInString(line) > showWidth {
			line = join(r, names, 0)
		}
		if r.from != "" && (!beside || utf8.RuneCountInString(line) > showWidth) {
			below = strings.Repeat(" ", 4) + r.from + "\n"
			if len(r.values) > 0 {
				below = strings.Repeat(" ", names) + below
			}
			r.from = ""
			line = join(r, names, 0)
		}
		b.WriteString(line + "\n")
		for _, v := range r.values[min(1, len(r.values)):] {
			b.WriteString(strings.Repeat(" ", 2+names+2) + v + "\n")
		}
		b.WriteString(below)
	}
	return b.String()
}

// widthOfValues is how wide a column of values can be that leaves space for the place
// of each that fits at all. beside is false for rows without values of which one is too
// long.
func widthOfValues(rows []shownRow, names int) (width int, beside bool) {
	beside = true
	most := showWidth
	for _, r := range rows {
		line := utf8.RuneCountInString(join(r, names, 0))
		if line > showWidth {
			beside = beside && len(r.values) > 0
			continue
		}
		if len(r.values) > 0 {
			value := utf8.RuneCountInString(r.values[0])
			width, most = max(width, value), min(most, value+showWidth-line)
		}
	}
	return min(width, most), beside
}

// join is a row's first line, its name and its value in columns of these widths.
func join(r shownRow, names, values int) string {
	line := "  " + padded(r.name, names)
	if len(r.values) > 0 {
		line += "  " + padded(r.values[0], values)
	}
	return strings.TrimRight(line+"  "+r.from, " ")
}

// padded fills a text up with blanks.
func padded(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text)))
}
