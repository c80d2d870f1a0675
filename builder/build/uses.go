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
		Dir: b.options.Tree, Cache: filepath.Join(b.options.Cache, "git"), Offline: offline, Held: &b.held, Copy: b.options.Copy, Original: b.options.Original, Say: b.options.Say,
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

// treeDir returns the directory of a tree that features come from; nil means the tree
// itself. A tree that is part of the program is written into the cache.
func (b *Builder) treeDir(root *config.Root) (string, error) {
	switch {
	case root == nil:
		return b.options.Tree, nil
	case root.Dir != "":
		return root.Dir, nil
	}
	if b.scratch == "" {
		// A user without write access to the cache can still read a tree in it.
		if done, err := cache.Planning(context.Background(), b.options.Cache, func() {}); err == nil {
			defer done()
		}
	}
	src, err := b.sources(reporter{heard(nil)}, nil).ImportTree(root.Name, root.FS)
	if err == nil && b.scratch == "" {
		_, err = b.held.Hold(src.Path)
	}
	return src.Path, err
}

// trees returns the directories of the trees that a project uses, by
// [config.Root.Prefix].
func (b *Builder) trees(p *config.Project) (map[string]string, error) {
	trees := map[string]string{}
	for _, f := range p.SortedFeatures() {
		if f.Root == nil || trees[f.Root.Prefix] != "" {
			continue
		}
		dir, err := b.treeDir(f.Root)
		if err != nil {
			return nil, err
		}
		trees[f.Root.Prefix] = dir
	}
	return trees, nil
}

// FeatureDir returns the directory of a feature on this machine.
func (b *Builder) FeatureDir(f *config.Feature) (string, error) {
	tree, err := b.treeDir(f.Root)
	return filepath.Join(tree, filepath.FromSlash(f.Place())), err
}
