package compose

import (
	"iter"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
)

// resolved is what [Resolve] returns.
type resolved struct {
	spec  *Spec
	diags hcl.Diagnostics
}

// All resolves the flavours of a project that have no fault, in their order.
func All(p *config.Project) iter.Seq[*Spec] {
	return func(yield func(*Spec) bool) {
		g, diags := NewGraph(p.SortedFeatures())
		if diags.HasErrors() {
			return
		}
		for _, r := range resolveAll(p, g, p.Flavours) {
			if r.spec != nil && !yield(r.spec) {
				return
			}
		}
	}
}

// resolveAll resolves flavours on all cores, in their order.
func resolveAll(p *config.Project, g *Graph, flavours []*config.Flavour) iter.Seq2[*config.Flavour, resolved] {
	return config.InOrder(flavours, func(f *config.Flavour) resolved {
		spec, diags := resolve(p, g, f)
		return resolved{spec, diags}
	})
}
