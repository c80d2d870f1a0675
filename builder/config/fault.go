package config

import (
	"bytes"
	"fmt"

	"github.com/hashicorp/hcl/v2"
)

// Fault makes an error with a place.
func Fault(at hcl.Range, summary, detail string, args ...any) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: Cut(fmt.Sprintf(detail, args...), maxDetail), Subject: &at}
}

// Warning makes a diagnostic that does not stop a build.
func Warning(at hcl.Range, summary, detail string, args ...any) *hcl.Diagnostic {
	d := Fault(at, summary, detail, args...)
	d.Severity = hcl.DiagWarning
	return d
}

// PlaceOf names a range within a sentence.
func PlaceOf(r hcl.Range) string { return fmt.Sprintf("%s:%d", r.Filename, r.Start.Line) }

// FileStart is the place of what is said of a whole file.
func FileStart(name string) hcl.Range {
	return hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.InitialPos}
}

// duplicateField is the fault of a name that is written twice in one place.
func duplicateField(name string, first, second hcl.Range) *hcl.Diagnostic {
	return Fault(second, "Duplicate field", "%q is written twice; it is already at %s.", name, PlaceOf(first))
}

// RangeIn makes a range of offsets in a text.
func RangeIn(name string, src []byte, from, to int) hcl.Range {
	pos := func(at int) hcl.Pos {
		start := bytes.LastIndexByte(src[:at], '\n') + 1
		return hcl.Pos{Line: 1 + bytes.Count(src[:at], []byte("\n")), Column: 1 + len([]rune(string(src[start:at]))), Byte: at}
	}
	return hcl.Range{Filename: name, Start: pos(from), End: pos(to)}
}
