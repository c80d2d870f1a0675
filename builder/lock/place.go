package lock

import (
	"bytes"
	"fmt"

	"github.com/hashicorp/hcl/v2"
)

// lineOf is the line that a byte is in.
func lineOf(text []byte, at int) int { return 1 + bytes.Count(text[:min(at, len(text))], []byte("\n")) }

// lineRange is a whole line.
func lineRange(name string, text []byte, line int) hcl.Range {
	n, from := 0, 0
	for l := range bytes.Lines(text) {
		if n++; n == line {
			to := from + len(bytes.TrimRight(l, "\r\n"))
			return hcl.Range{Filename: name, Start: hcl.Pos{Line: line, Column: 1, Byte: from}, End: hcl.Pos{Line: line, Column: to - from + 1, Byte: to}}
		}
		from += len(l)
	}
	return hcl.Range{Filename: name, Start: hcl.Pos{Line: 1, Column: 1}, End: hcl.Pos{Line: 1, Column: 1}}
}

func placeOf(r hcl.Range) string { return fmt.Sprintf("%s:%d", r.Filename, r.Start.Line) }
