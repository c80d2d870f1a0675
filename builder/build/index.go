package build

import (
	"context"

	"github.com/treewright/treewright/builder/cache"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/download"
)

// Index returns all packages of a source, for an architecture, of a family. The
// source is asked once only.
func (b *Builder) Index(ctx context.Context, family, arch string, src distro.Source) (distro.Index, error) {
	if err := b.hideDirectories(b.options.Cache); err != nil {
		return nil, err
	}
	d, err := b.backend.Families.Of(family)
	if err != nil {
		return nil, err
	}
	access, err := d.Access(ctx, b.auth())
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
	archive, err := access.Open(ctx, distro.ArchiveOptions{
		Sources: []distro.Source{src}, Arch: arch, Cache: b.options.Cache, Client: access.Client(download.Once, func(string) {}), Offline: b.options.Offline,
	})
	if err != nil {
		return nil, err
	}
	return archive.Index(ctx)
}
