package build

import (
	"context"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/publish"
	"github.com/treewright/treewright/builder/rules"
)

// Subject is what a name means, with its features resolved.
type Subject = rules.Subject

// Resolve finds out what a name means and resolves its features.
func (b *Builder) Resolve(ctx context.Context, p *config.Project, name string) (*Subject, error) {
	for _, r := range b.allRules() {
		if s, err := r.Resolve(ctx, p, name); s != nil || err != nil {
			return s, err
		}
	}
	_, err := rules.Flavour(p, name)
	return nil, err
}

// allRules are those by which names in the tree are known.
func (b *Builder) allRules() []rules.Rules { return append([]rules.Rules{b.rules}, b.others...) }

// Output is where a subject's output goes.
func (b *Builder) Output(s *Subject) publish.Output { return s.Output(b.options.Output) }
