package build

import (
	"path/filepath"

	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
)

// Change is what a step did to a file of a tree.
type Change struct {
	Step, Title string
	// What is as in [layer.ChangeOf].
	What string
}

// Why returns what the layers of a plan did to a file, the oldest first, and how
// many layers are not in the cache. path is absolute within the tree.
func (p *Prepared) Why(path string) (changes []Change, missing int, err error) {
	store := p.Cache.Store
	for _, s := range p.Graph.Steps() {
		if s.Output != plan.Layer {
			continue
		}
		key := p.Graph.Key(s.ID)
		_, ok, err := store.Get(key)
		if err != nil {
			return nil, 0, err
		}
		if !ok {
			missing++
			continue
		}
		if what := layer.ChangeOf(filepath.Join(store.Data(key), filepath.Clean(path))); what != "" {
			changes = append(changes, Change{s.ID, s.Title, what})
		}
	}
	return changes, missing, nil
}
