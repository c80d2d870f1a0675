package build

import (
	"context"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/engine"
	"github.com/treewright/treewright/builder/stage"
)

// Subject is what a name stands for: a flavour, or else a cname in the tree, with
// its features resolved.
type Subject struct {
	// Name is the one by which it was asked for.
	Name    string
	Project *config.Project
	Spec    *compose.Spec
	// Tree is what scripts of a cname's features are told.
	Tree stage.Tree
	// Warnings are what was noticed and stops no build.
	Warnings hcl.Diagnostics
}

// CNames finds out what a name is that is no flavour's. It returns nil if the
// name cannot have been meant as a cname.
type CNames func(ctx context.Context, project *config.Project, name string) (*Subject, error)

// Flavour returns the name under which results of a subject are kept.
func (s *Subject) Flavour() string { return s.Spec.Flavour.Name }

// Flavour returns the flavour of that name.
func Flavour(p *config.Project, name string) (*config.Flavour, error) {
	names := make([]string, len(p.Flavours))
	for i, f := range p.Flavours {
		if f.Name == name {
			return f, nil
		}
		names[i] = f.Name
	}
	if s := config.Suggest(name, names); s != "" {
		return nil, diag.Requestf("there is no flavour %q; did you mean %q?", name, s)
	}
	return nil, diag.Requestf("there is no flavour %q; `./build list` shows those there are", name)
}

// Resolve finds out what a name stands for and resolves its features.
func (b *Builder) Resolve(ctx context.Context, p *config.Project, name string) (*Subject, error) {
	f, err := Flavour(p, name)
	if err != nil {
		if b.options.CNames != nil {
			if s, cerr := b.options.CNames(ctx, p, name); s != nil || cerr != nil {
				return s, cerr
			}
		}
		return nil, err
	}
	spec, diags := compose.Resolve(p, f)
	if diags.HasErrors() {
		return nil, &diag.Faults{Files: p.Files, List: diags}
	}
	return &Subject{Name: name, Project: p, Spec: spec, Warnings: diags}, nil
}

// Output is where a subject's output goes.
func (b *Builder) Output(s *Subject) engine.Output {
	if s.Spec.Target != nil {
		return engine.TargetOutput(b.options.Output, s.Flavour())
	}
	return engine.OutputOf(b.options.Output, s.Flavour())
}

// targetNames are how the artifacts of a cname are called; nil for a flavour.
func (s *Subject) targetNames() *engine.TargetNames {
	if s.Spec.Target == nil {
		return nil
	}
	return &engine.TargetNames{Base: s.Spec.Target.Base(), Link: s.Name, Listed: s.Spec.Listed()}
}
