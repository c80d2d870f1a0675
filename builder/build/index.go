package build

import (
	"context"

	"github.com/treewright/treewright/builder/cache"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/download"
)

// Index returns all packages of an archive, which is asked once only.
func (b *Builder) Index(ctx context.Context, src distro.Source) (distro.Index, error) {
	if err := b.hideDirectories(b.options.Cache); err != nil {
		return nil, err
	}
	policy, err := b.backend.Policy(ctx)
	if err != nil {
		return nil, err
	}
	kept, err := cache.Open(b.options.Cache)
	if err != nil {
		return nil, err
	}
	done, err := kept.Planning(ctx, func() {})
	if err != nil {
		return nil, err
	}
	defer done()
	archive, err := b.backend.Archive(ctx, ArchiveOptions{
		Source: src, Cache: b.options.Cache, Policy: policy, Client: policy.Client(download.Once, func(string) {}), Offline: b.options.Offline,
	})
	if err != nil {
		return nil, err
	}
	return archive.Index(ctx)
}
