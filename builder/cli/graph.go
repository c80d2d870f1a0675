package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/build"
)

var graphVerb = &verb{
	name: "graph", args: "FLAVOUR", summary: "draw a flavour's steps: mermaid, dot, svg or json",
	example: "./build graph debian-trixie-amd64-ostree --format svg > graph.svg",
	details: `Each step has the colour of its state: green with a result in the cache, blue with
one in the remote cache, yellow to run, grey with a dashed line if it is not needed. A
drawing as svg has a legend, and needs no other program than a browser.`,
	complete: "flavours", run: graphing.run, flags: graphing.flags,
}

// graphing has the options of graph.
var graphing graphOptions

type graphOptions struct{ format string }

func (o *graphOptions) flags(f *pflag.FlagSet, common *options) {
	planFlags(f, common)
	choiceVar(f, &o.format, "format", "the language of the drawing", "mermaid", "dot", "svg", "json")
}

func (o *graphOptions) run(ctx context.Context, c *command) error {
	_, steps, err := planned(ctx, c)
	if err != nil {
		return err
	}
	draw := map[string]func(io.Writer, string, []build.Step) error{"mermaid": mermaid, "dot": dot, "svg": svg, "json": graphJSON}[o.format]
	return draw(c.Out, c.args[0], steps)
}

// byStage groups steps in the order in which their stages first come.
func byStage(steps []build.Step) (stages []string, members map[string][]build.Step) {
	members = map[string][]build.Step{}
	for _, s := range steps {
		if members[s.Stage] == nil {
			stages = append(stages, s.Stage)
		}
		members[s.Stage] = append(members[s.Stage], s)
	}
	return stages, members
}

func mermaid(w io.Writer, _ string, steps []build.Step) error {
	var b strings.Builder
	b.WriteString("flowchart TD\n")
	node := map[string]string{}
	for i, s := range steps {
		node[s.ID] = fmt.Sprintf("s%d", i)
	}
	stages, members := byStage(steps)
	for _, stage := range stages {
		fmt.Fprintf(&b, "  subgraph %s\n", stage)
		for _, s := range members[stage] {
			fmt.Fprintf(&b, "    %s[\"%s\"]", node[s.ID], s.ID)
			fmt.Fprintf(&b, ":::%s\n", mermaidClass(s.State))
		}
		b.WriteString("  end\n")
	}
	for _, s := range steps {
		for _, in := range s.Needs {
			fmt.Fprintf(&b, "  %s --> %s\n", node[in], node[s.ID])
		}
	}
	for _, k := range kindsOf(steps) {
		dashes := ""
		if k.kind.Dashed {
			dashes = ",stroke-dasharray:4 3"
		}
		fmt.Fprintf(&b, "  classDef %s fill:%s,color:#1b1f24%s\n", mermaidClass(k.state), k.kind.Light, dashes)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// mermaidClass is the name of a state as a class.
func mermaidClass(s build.State) string { return strings.ReplaceAll(string(s), " ", "_") }

func dot(w io.Writer, _ string, steps []build.Step) error {
	var b strings.Builder
	b.WriteString("digraph treewright {\n  rankdir=TB; node [shape=box];\n")
	stages, members := byStage(steps)
	for i, stage := range stages {
		fmt.Fprintf(&b, "  subgraph cluster_%d {\n    label=%q;\n", i, stage)
		for _, s := range members[stage] {
			kind := kindOf(s.State)
			style := "filled"
			if kind.Dashed {
				style = "filled,dashed"
			}
			fmt.Fprintf(&b, "    %q [style=%q fillcolor=%q];\n", s.ID, style, kind.Light)
		}
		b.WriteString("  }\n")
	}
	for _, s := range steps {
		for _, in := range s.Needs {
			fmt.Fprintf(&b, "  %q -> %q;\n", in, s.ID)
		}
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func graphJSON(w io.Writer, _ string, steps []build.Step) error {
	return writeJSON(w, map[string]any{"steps": steps})
}
