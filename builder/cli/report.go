package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/drawing"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/publish"
	"github.com/treewright/treewright/builder/report"
)

var reportVerb = &verb{
	name: "report", args: "FLAVOUR", summary: "write a page about the last build of a flavour",
	example: "./build report debian-trixie-amd64-ostree",
	details: `The page is one file of HTML: what changed since the parent commit, artifacts, times
and sizes of steps and packages, the graph. Nothing is built. Where the page is, is
printed.`,
	complete: "flavours", run: reporting.run, flags: reporting.flags,
}

// reporting has the options of report.
var reporting reportOptions

type reportOptions struct{ file string }

func (o *reportOptions) flags(f *pflag.FlagSet, common *options) {
	planFlags(f, common)
	f.StringVar(&o.file, "file", "", "the `FILE` to write the page to, \"-\" for the standard output (default: report.html beside the manifest)")
}

func (o *reportOptions) run(ctx context.Context, c *command) error {
	p, steps, err := planned(ctx, c)
	if err != nil {
		return err
	}
	defer p.Close()
	page, err := reportPage(c, p, steps)
	if err != nil {
		return err
	}
	if o.file == "-" {
		_, err := c.Out.Write(page)
		return err
	}
	file := o.file
	if file == "" {
		file = filepath.Join(filepath.Dir(p.Output.Manifest()), "report.html")
	}
	if err := layer.WriteFile(file, page, 0o644); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	fmt.Fprintln(c.Out, file)
	return nil
}

// reportPage is the page about the last build of what is planned.
func reportPage(c *command, p *build.Prepared, steps []build.Step) ([]byte, error) {
	m, err := publish.ReadManifest(p.Output)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, diag.Suggest(fmt.Errorf("%s was not built yet", c.args[0]), c.args[0], "builds it")
	}
	if err != nil {
		return nil, err
	}
	r, err := c.builder.Report(p, m)
	if err != nil {
		return nil, err
	}
	r.Treewright = number
	var graph, page bytes.Buffer
	if err := pastGraph(&graph, m, steps); err != nil {
		return nil, err
	}
	r.Graph = template.HTML(graph.String())
	if err := report.Write(&page, r); err != nil {
		return nil, err
	}
	return page.Bytes(), nil
}

// pastGraph draws the steps of a build that was.
func pastGraph(w io.Writer, m *publish.Manifest, steps []build.Step) error {
	g := &drawing.Graph{Title: "the steps of " + m.Flavour, Kinds: []drawing.Kind{
		{Name: "ran in the last build", Light: "#ffe7b8", Dark: "#5c3d0a"},
		{Name: "from the cache", Light: "#d3f3da", Dark: "#1d4428"},
		{Name: "not needed", Light: "#eef1f4", Dark: "#262c34", Dashed: true},
	}}
	built := map[string]publish.ManifestStep{}
	for _, s := range m.Steps {
		built[s.ID] = s
	}
	addSteps(g, steps, func(s *build.Step) (int, string) {
		switch was, ok := built[s.ID]; {
		case !ok:
			return 2, ""
		case was.Cached:
			return 1, fmt.Sprintf("%.1f s in an earlier build", was.Seconds)
		default:
			return 0, fmt.Sprintf("%.1f s", was.Seconds)
		}
	})
	return drawing.SVG(w, g)
}
