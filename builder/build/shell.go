package build

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/engine"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/plan"
)

// At returns a plan with the step whose tree is to be looked into, and the step's
// ID: the one that was named, or for "" one of its own on top of the system's
// tree.
func (p *Prepared) At(step string) (*Prepared, string, error) {
	if step != "" {
		return p, step, p.hasStep(step)
	}
	tip := p.tip()
	const id = "rootfs/shell"
	with := *p
	with.Graph = p.Graph.Clone()
	return &with, id, with.Graph.Add(plan.Step{ID: id, Stage: "rootfs", Title: "shell", Action: "shell", Base: tip, Output: plan.Layer, Arch: p.Graph.Step(tip).Arch})
}

// tip is the step that leaves the system's tree, "" if none does.
func (p *Prepared) tip() (id string) {
	for _, s := range p.Graph.Steps() {
		if s.Stage == "rootfs" && s.Output == plan.Layer {
			id = s.ID
		}
	}
	return id
}

// HasTree reports that there is a tree of the system, which a shell can be opened in.
func (p *Prepared) HasTree() bool { return p.tip() != "" }

// hasStep is the fault of a step that the plan has not.
func (p *Prepared) hasStep(id string) error {
	if p.Graph.Step(id) != nil {
		return nil
	}
	var ids []string
	for _, s := range p.Graph.Steps() {
		ids = append(ids, s.ID)
	}
	s := config.Suggest(id, ids)
	if i := slices.IndexFunc(ids, func(full string) bool { return strings.Contains(id, "/") && strings.HasSuffix(full, "/"+id) }); i >= 0 {
		s = ids[i] // without its stage
	}
	if s != "" {
		return diag.Requestf("there is no step %q; did you mean %q?", id, s)
	}
	fault := fmt.Sprintf("there is no step %q", id)
	switch begun := config.Begun(id, ids); {
	case len(begun) == 1:
		return diag.Requestf("%s; did you mean %q?", fault, begun[0])
	case len(begun) > 1:
		return diag.Requestf("%s; these begin so: %s", fault, strings.Join(begun, ", "))
	}
	return diag.Suggest(diag.Requestf("%s", fault), "plan "+p.Subject.Name, "lists them")
}

// Inside makes what a step needs, as [Prepared.At] has it, and returns the plan with
// it.
func (b *Builder) Inside(ctx context.Context, s *Subject, step string, sink event.Sink) (*Prepared, string, error) {
	sink = heard(sink)
	p, err := b.Prepare(ctx, s, sink)
	if err != nil {
		return nil, "", err
	}
	p, id, err := p.At(step)
	if err != nil {
		return nil, "", err
	}
	if _, err = b.Run(ctx, p, sink, p.Graph.Requires(id)); err != nil {
		return p, id, err
	}
	return p, id, b.emulate(ctx, p, []string{id}, sink)
}

// Shell opens a shell on the terminal in the tree as a step finds it, whose inputs
// must have been made.
func Shell(ctx context.Context, p *Prepared, step string) error {
	return engine.Shell(ctx, p.Cache.Store, p.Graph, step, p.secrets)
}
