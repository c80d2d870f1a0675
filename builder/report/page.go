package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
	"sync"

	"github.com/treewright/treewright/builder/event"
)

//go:embed page.html
var pageText string

// changesText is the template "changes": the table of [Changes].
//
//go:embed changes.html
var changesText string

// style is the look of the page.
//
//go:embed style.css
var style string

var funcs = template.FuncMap{
	"bytes": event.FormatBytes, "seconds": seconds, "short": short, "plural": plural, "percent": percent,
}

var page = sync.OnceValue(func() *template.Template { return Page(pageText) })

// Page is a template for a page with the look of a report. It has the functions bytes, seconds,
// short (a checksum), plural and percent, and the template "changes" for [Changes]. A text that
// is not a template panics.
func Page(text string) *template.Template {
	t := template.Must(template.New("page").Funcs(funcs).Parse(text))
	template.Must(t.New("parts").Parse(changesText))
	return t
}

// Style is the style sheet that a report has in it, for other pages of the same look.
func Style() template.CSS { return template.CSS(style) }

// Write writes the page. It returns the errors of w.
func Write(w io.Writer, r *Report) error {
	times := timeline(r.Steps)
	var tree int64
	for i := range r.Sizes {
		tree += r.Sizes[i].Bytes()
	}
	var b bytes.Buffer
	if err := page().Execute(&b, map[string]any{
		"R": r, "Style": Style(), "Timeline": times, "Map": treemap(r.Sizes), "TreeBytes": tree, "Sums": sums(r.Artifacts),
	}); err != nil {
		return fmt.Errorf("write the report on %s: %w", r.Flavour, err)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// sums are the checksums of the artifacts that are files, as sha256sum reads them.
func sums(artifacts []Artifact) string {
	var b strings.Builder
	for _, a := range artifacts {
		if a.SHA256 != "" {
			fmt.Fprintf(&b, "%s  %s\n", a.SHA256, a.Name)
		}
	}
	return b.String()
}
