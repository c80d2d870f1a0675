package added

import (
	"context"
	"fmt"
	"slices"

	"github.com/treewright/treewright/builder/extend"
)

// good is the image of a deployment, if it is complete, unchanged, and signed as the deployment's remote asks for.
func (m *Machine) good(ctx context.Context, d Deployment) (*image, error) {
	i, err := m.image(d.Commit)
	if err != nil {
		return nil, err
	}
	if err := i.intact(); err != nil {
		return nil, err
	}
	if i.origin.Kind == madeHere {
		return i, nil
	}
	return i, m.authentic(ctx, d, imageList, i.text, i.signature)
}

// draftFor gets the image of packages for a deployment, from a bundle or, if dir is "", from the server. It is nil if the image that the deployment has
// is good and has these packages, or is the same one if newer versions are looked for.
func (m *Machine) draftFor(ctx context.Context, d Deployment, names []string, dir string) (*draft, error) {
	q := extend.Request{Commit: d.Commit, Packages: names}
	if err := q.Check(); err != nil {
		return nil, err
	}
	have, err := m.good(ctx, d)
	if err != nil || !slices.Equal(have.document.Sorted().Packages, q.Sorted().Packages) {
		have = nil
	}
	if have != nil && !m.Renew {
		return nil, nil
	}
	sources, err := m.sources(d, dir)
	if err != nil {
		return nil, err
	}
	f := fetcher{m, have, func(ctx context.Context, text, signature []byte) error {
		return m.authentic(ctx, d, imageList, text, signature)
	}}
	return f.fetch(ctx, q, sources)
}

// provide gets the image of a deployment if it has none that is good, and keeps the reason if that fails.
func (m *Machine) provide(ctx context.Context, d Deployment, names []string) error {
	_, err := m.good(ctx, d)
	if err == nil {
		return m.note(d.Commit, nil)
	}
	var next *draft
	if next, err = m.draftFor(ctx, d, names, ""); err == nil && next != nil {
		var done func() error
		if _, done, err = m.place(next); err == nil {
			err = done()
		}
	}
	if err != nil {
		err = fmt.Errorf("%s for %s: %w", packagesOf(names), d.Name(), err)
	}
	if nerr := m.note(d.Commit, err); nerr != nil && err == nil {
		err = nerr
	}
	return err
}
