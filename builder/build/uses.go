package build

import (
	"context"
	"path/filepath"

	"github.com/treewright/treewright/builder/cache"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/used"
)

// uses opens the trees that the tree uses.
func (b *Builder) uses(offline bool) config.Uses {
	o := &used.Opener{
		Dir: b.options.Tree, Cache: filepath.Join(b.options.Cache, "git"), Offline: offline, Say: b.options.Say,
		Before: func() (func(), error) {
			if err := b.hideDirectories(b.options.Cache); err != nil {
				return nil, err
			}
			c, err := cache.Open(b.options.Cache)
			if err != nil {
				return nil, err
			}
			return c.Planning(context.Background(), func() {})
		},
	}
	return o.Uses()
}

// trees returns the directories of the trees that a project uses, by
// [config.Root.Prefix]. One that is part of the program is written into the cache.
func (b *Builder) trees(p *config.Project, r reporter) (map[string]string, error) {
	trees := map[string]string{}
	for _, f := range p.SortedFeatures() {
		if f.Root == nil || trees[f.Root.Prefix] != "" {
			continue
		}
		dir := f.Root.Dir
		if dir == "" {
			src, err := b.sources(r, nil).ImportTree(f.Root.Name, f.Root.FS)
			if err != nil {
				return nil, err
			}
			dir = src.Path
		}
		trees[f.Root.Prefix] = dir
	}
	return trees, nil
}

// FeatureDir returns the directory of a project's feature on this machine.
func (b *Builder) FeatureDir(p *config.Project, f *config.Feature) (string, error) {
	trees, err := b.trees(p, reporter{heard(nil)})
	if err != nil {
		return "", err
	}
	tree := b.options.Tree
	if f.Root != nil {
		tree = trees[f.Root.Prefix]
	}
	return filepath.Join(tree, filepath.FromSlash(f.Place())), nil
}
