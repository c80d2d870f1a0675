package build

import (
	"context"
	"slices"

	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/plan"
)

// emulate makes sure that this machine runs the programs of the trees that steps
// work in. It is asked once a plan is known to need it: a plan can be made, and what
// is in the cache can be published, on any machine.
func (b *Builder) emulate(ctx context.Context, p *Prepared, steps []string, sink event.Sink) error {
	for _, arch := range others(p.Graph, steps, b.backend.Arch) {
		if err := b.backend.Emulate(ctx, p.distro, arch, b.options.Cache, sink); err != nil {
			return err
		}
	}
	return nil
}

// others are the architectures, other than own, of the trees that steps run programs in.
func others(g *plan.Graph, steps []string, own string) []string {
	var found []string
	for _, id := range steps {
		s := g.Step(id)
		if runs := s.Base != "" || s.Output == plan.Layer; runs && s.Arch != own && !slices.Contains(found, s.Arch) {
			found = append(found, s.Arch)
		}
	}
	return found
}
