package config

import (
	"bytes"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
)

const (
	// shortSource is up to how many bytes a source is shown as it is, if its lines
	// are not too long.
	shortSource = 16 << 10
	// widestLine is how much of a line is shown, in bytes, and mostShown how many
	// lines of a fault are.
	widestLine = 400
	mostShown  = 20
	// lastLine is how far down in a file its text is shown.
	lastLine = 20_000
)

// excerpt makes a diagnostic that shows as d does, of a source that holds nothing
// but the lines it shows, cut short if they are long. HCL's writer goes through
// the whole of a file for every diagnostic, and writes lines however long.
func excerpt(d *hcl.Diagnostic, file *hcl.File) (*hcl.Diagnostic, *hcl.File) {
	if d.Subject == nil || file == nil || len(file.Bytes) <= shortSource && widestOf(file.Bytes) <= widestLine {
		return d, file
	}
	src, subject := file.Bytes, *d.Subject
	shown := *d
	shown.Context = nil
	start, end := min(max(subject.Start.Byte, 0), len(src)), min(max(subject.End.Byte, 0), len(src))
	if subject.Start.Line > lastLine || start > end {
		return &shown, nil
	}
	// Line ends alone mean all lines above, so that lines keep their numbers.
	text := bytes.Repeat([]byte("\n"), max(subject.Start.Line-1, 0))
	line := bytes.LastIndexByte(src[:start], '\n') + 1
	for i := 0; i < mostShown && line <= end; i++ {
		stop := len(src)
		if n := bytes.IndexByte(src[line:], '\n'); n >= 0 {
			stop = line + n
		}
		from, to := window(src, line, stop, max(start, line))
		if from > line {
			text = append(text, "..."...)
		}
		if i == 0 {
			subject.Start.Byte = len(text) + start - from
		}
		subject.End.Byte = len(text) + min(max(end, from), to) - from
		text = append(text, src[from:to]...)
		if to < stop {
			text = append(text, "..."...)
		}
		text = append(text, '\n')
		line = stop + 1
	}
	shown.Subject = &subject
	return &shown, &hcl.File{Bytes: text, Nav: atPlace{file.Nav, start}}
}

// window is the part of a line that is shown, around what is at fault in it.
func window(src []byte, line, stop, at int) (from, to int) {
	if stop-line <= widestLine {
		return line, stop
	}
	from = max(line, min(at-widestLine/4, stop-widestLine))
	to = min(stop, from+widestLine)
	for from > line && !utf8.RuneStart(src[from]) {
		from--
	}
	for to < stop && !utf8.RuneStart(src[to]) {
		to++
	}
	return from, to
}

func widestOf(src []byte) int {
	longest := 0
	for line := range bytes.Lines(src) {
		longest = max(longest, len(line))
	}
	return longest
}

// atPlace says of an excerpt what the whole file would say of the place that is
// shown.
type atPlace struct {
	nav any
	at  int
}

// ContextString is what HCL's writer asks for.
func (a atPlace) ContextString(int) string {
	if nav, ok := a.nav.(interface{ ContextString(offset int) string }); ok {
		return nav.ContextString(a.at)
	}
	return ""
}
