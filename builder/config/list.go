package config

import (
	"bytes"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// ParseList reads a list file of a feature, one entry a line. As in Garden
// Linux, "#" starts a comment wherever it stands, blank lines are nothing, and
// the last line needs no newline.
func ParseList(name string, src []byte) []Line {
	return parseLines(name, src, func(raw string) string {
		text, _, _ := strings.Cut(raw, "#")
		return text
	})
}

// ParseShellList reads a list file whose lines a shell is to expand: only that
// knows where a comment starts.
func ParseShellList(name string, src []byte) []Line {
	return parseLines(name, src, func(raw string) string { return raw })
}

func parseLines(name string, src []byte, content func(raw string) string) []Line {
	var lines []Line
	number, offset := 0, 0
	for raw := range bytes.Lines(src) {
		number++
		text := content(string(raw))
		if trimmed := strings.TrimSpace(text); trimmed != "" {
			indent := strings.Index(text, trimmed)
			lines = append(lines, Line{Text: trimmed, Range: hcl.Range{
				Filename: name,
				Start:    hcl.Pos{Line: number, Column: indent + 1, Byte: offset + indent},
				End:      hcl.Pos{Line: number, Column: indent + len(trimmed) + 1, Byte: offset + indent + len(trimmed)},
			}})
		}
		offset += len(raw)
	}
	return lines
}
