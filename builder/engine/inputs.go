package engine

import (
	"fmt"
	"strings"

	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
)

// watch is what a step works on, for asking afterwards whether it was the same
// all the time: a result made of half an input must not count.
type watch struct {
	store Store
	keys  []string
	// sources has a fingerprint of each snapshot, by path. Histories are not
	// among them: every object of one has its hash for a name.
	sources map[string]string
}

func watchInputs(store Store, g *plan.Graph, id string) (*watch, error) {
	w := &watch{store: store, sources: map[string]string{}}
	for _, in := range g.Requires(id) {
		w.keys = append(w.keys, g.Key(in))
	}
	for _, src := range g.Step(id).Sources {
		if !strings.HasPrefix(src.Digest, "sha256:") {
			continue
		}
		var err error
		if w.sources[src.Path], err = layer.Fingerprint(src.Path); err != nil {
			return nil, fmt.Errorf("look at %s: %w", src.Name, err)
		}
	}
	return w, nil
}

// changed is an error if an input is not what it was.
func (w *watch) changed() error {
	const told = "an input changed while the step ran, so its result is not kept: %w; only treewright may write to its cache; build again"
	for _, key := range w.keys {
		if err := w.store.Recheck(key); err != nil {
			return fmt.Errorf(told, err)
		}
	}
	for path, before := range w.sources {
		now, err := layer.Fingerprint(path)
		if err == nil && now != before {
			err = fmt.Errorf("another program wrote to %s", path)
		}
		if err != nil {
			return fmt.Errorf(told, err)
		}
	}
	return nil
}
