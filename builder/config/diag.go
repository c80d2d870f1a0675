package config

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"github.com/hashicorp/hcl/v2"
)

// WriteDiagnostics writes diagnostics as text for people: what is wrong, the
// place, the line itself, and the explanation. The project supplies the
// sources and may be nil. A width in columns of 0 means no wrapping; colour
// adds terminal escape sequences.
func WriteDiagnostics(w io.Writer, p *Project, diags hcl.Diagnostics, width int, colour bool) error {
	var files map[string]*hcl.File
	if p != nil {
		files = p.Files
	}
	return hcl.NewDiagnosticTextWriter(w, files, uint(max(width, 0)), colour).WriteDiagnostics(diags)
}

// fault makes an error with a place.
func fault(at hcl.Range, summary, detail string, args ...any) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(detail, args...), Subject: &at}
}

// warning makes a diagnostic that does not stop a build.
func warning(at hcl.Range, summary, detail string, args ...any) *hcl.Diagnostic {
	d := fault(at, summary, detail, args...)
	d.Severity = hcl.DiagWarning
	return d
}

// place names a range within a sentence.
func place(r hcl.Range) string { return fmt.Sprintf("%s:%d", r.Filename, r.Start.Line) }

// tidy sorts diagnostics by file, line and column, and drops repetitions: an
// expression in a matrix flavour is evaluated once a combination. gohcl walks
// maps, so without sorting the order would change from run to run.
func tidy(diags hcl.Diagnostics) hcl.Diagnostics {
	at := func(d *hcl.Diagnostic) hcl.Range {
		if d.Subject == nil {
			return hcl.Range{}
		}
		return *d.Subject
	}
	compare := func(a, b *hcl.Diagnostic) int {
		ra, rb := at(a), at(b)
		return cmp.Or(
			cmp.Compare(ra.Filename, rb.Filename),
			cmp.Compare(ra.Start.Line, rb.Start.Line),
			cmp.Compare(ra.Start.Byte, rb.Start.Byte),
			cmp.Compare(a.Summary, b.Summary),
			cmp.Compare(a.Detail, b.Detail),
		)
	}
	slices.SortStableFunc(diags, compare)
	return slices.CompactFunc(diags, func(a, b *hcl.Diagnostic) bool { return compare(a, b) == 0 })
}
