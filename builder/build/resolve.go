package build

import (
	"context"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/engine"
)

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
