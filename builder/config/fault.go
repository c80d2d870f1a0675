package config

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
)

// fault makes an error with a place.
func fault(at hcl.Range, summary, detail string, args ...any) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: cut(fmt.Sprintf(detail, args...), maxDetail), Subject: &at}
}

// warning makes a diagnostic that does not stop a build.
func warning(at hcl.Range, summary, detail string, args ...any) *hcl.Diagnostic {
	d := fault(at, summary, detail, args...)
	d.Severity = hcl.DiagWarning
	return d
}

// place names a range within a sentence.
func place(r hcl.Range) string { return fmt.Sprintf("%s:%d", r.Filename, r.Start.Line) }

func fileStart(name string) hcl.Range {
	return hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.InitialPos}
}

// duplicateField is the fault of a name that is written twice in one place.
func duplicateField(name string, first, second hcl.Range) *hcl.Diagnostic {
	return fault(second, "Duplicate field", "%q is written twice; it is already at %s.", name, place(first))
}
