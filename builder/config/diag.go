package config

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// WriteDiagnostics writes diagnostics as text for people: what is wrong, the
// place, the line itself, and the explanation. The project supplies the
// sources and may be nil. A width in columns of 0 means no wrapping; colour
// adds terminal escape sequences. Of very many the first ones are written, errors
// before warnings, and how many more there are.
func WriteDiagnostics(w io.Writer, p *Project, diags hcl.Diagnostics, width int, colour bool) error {
	var files map[string]*hcl.File
	if p != nil {
		files = p.Files
	}
	for _, d := range MostShown(diags) {
		shown, of := *d, map[string]*hcl.File{}
		shown.Detail = Cut(d.Detail, 2*maxDetail)
		if d.Expression != nil && largeNames(d) {
			shown.Expression = nil // else their values are written
		}
		e := &shown
		var file *hcl.File
		if d.Subject != nil {
			if e, file = excerpt(e, files[d.Subject.Filename]); file != nil {
				of[d.Subject.Filename] = file
			}
		}
		var text strings.Builder
		if err := hcl.NewDiagnosticTextWriter(&text, of, uint(max(width, 0)), colour).WriteDiagnostic(e); err != nil {
			return err
		}
		if _, err := io.WriteString(w, withoutText(text.String(), e.Subject, file)); err != nil {
			return err
		}
	}
	if more := len(diags) - mostDiagnostics; more > 0 {
		_, err := fmt.Fprintf(w, "And %d more.\n\n", more)
		return err
	}
	return nil
}

// withoutText removes from the text of a diagnostic the remark that the source code is
// not available: the subject may be a program, a directory, or a file that does not
// exist. If the place is the first line, its number is removed, too.
func withoutText(text string, at *hcl.Range, file *hcl.File) string {
	if at == nil || file != nil {
		return text
	}
	const missing = ":\n  (source code not available)\n"
	place := "  on " + at.Filename
	if at.Start.Line == 1 {
		text = strings.Replace(text, place+" line 1"+missing, place+missing, 1)
	}
	return strings.Replace(text, missing, ":\n", 1)
}

// largeNames reports that a diagnostic's expression refers to many names, or to what
// is long.
func largeNames(d *hcl.Diagnostic) bool {
	if d.EvalContext == nil {
		return false
	}
	names := d.Expression.Variables()
	m := measure{most: maxDetail}
	for _, t := range names[:min(len(names), mostShown)] {
		if v, diags := t.TraverseAbs(d.EvalContext); !diags.HasErrors() {
			m.value(v)
		}
	}
	return len(names) > mostShown || m.size > m.most
}

// mostDiagnostics is how many diagnostics are written.
const mostDiagnostics = 200

// MostShown returns those of the diagnostics that [WriteDiagnostics] writes.
func MostShown(diags hcl.Diagnostics) hcl.Diagnostics {
	if len(diags) <= mostDiagnostics {
		return diags
	}
	shown := slices.Clone(diags)
	slices.SortStableFunc(shown, func(a, b *hcl.Diagnostic) int { return cmp.Compare(a.Severity, b.Severity) })
	return shown[:mostDiagnostics]
}

// Tidy sorts diagnostics by file, line and column, and drops repetitions: an
// expression in a matrix flavour is evaluated once a combination. Decoding walks
// maps, so without sorting the order would change from run to run.
func Tidy(diags hcl.Diagnostics) hcl.Diagnostics {
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
