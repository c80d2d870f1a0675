package build

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/extend"
	"github.com/treewright/treewright/builder/stage/planner"
	"github.com/treewright/treewright/builder/stage/rootfs"
)

// readPool reads the packages that were published with the commit. A pool that cannot be read is a warning, as the archive may
// have the packages too.
func (c *extendedCommit) readPool(family distro.Distro, r reporter) {
	if c.pools == "" {
		return
	}
	dir := filepath.Join(c.pools, c.sum)
	packages, err := family.Pooled(c.sum, func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(dir, name)) })
	switch {
	case errors.Is(err, fs.ErrNotExist) && !exists(dir):
	case err != nil:
		r.warn(fmt.Sprintf("the pool of commit %.12s cannot be read, and is not used: %v; the next build of %s makes the pool of its newest commit again", c.sum, err, c.flavour.Name))
	default:
		c.pool = packages
	}
}

// bringPooled has the packages that are needed put into the directory of the pool. If that fails, it is a warning, as the
// archive may have the packages too.
func (c *extendedCommit) bringPooled(ctx context.Context, family distro.Pools, needed planner.Packages, r reporter) error {
	if c.bring == nil || len(c.pool) == 0 {
		return nil
	}
	var pooled []distro.Archived
	for _, p := range needed.Extensions[extend.Extension].Minus(needed.System).Packages {
		if slices.ContainsFunc(c.pool, func(o distro.Archived) bool { return o.SHA256 == p.SHA256 }) {
			pooled = append(pooled, p)
		}
	}
	err := c.bring(ctx, poolFiles(family, pooled))
	if err != nil && ctx.Err() == nil {
		r.warn(fmt.Sprintf("packages of the pool of commit %.12s cannot be read, so they are taken from the package archive if it still has them: %v", c.sum, err))
		return nil
	}
	return err
}

// alone returns the packages of a commit together with the requested packages, all from the pool, so that the result does not depend
// on the current archive. It returns nil if the pool lacks a package that is needed.
func (c *extendedCommit) alone(ctx context.Context, archives *archives, have []distro.Archived, wants []compose.Want) (*distro.Closure, error) {
	if len(c.pool) == 0 {
		return nil, nil
	}
	d := c.flavour.Spec.Flavour.Distribution
	archive, err := archives.access.Only(distro.ArchiveOptions{Arch: d.Arch, MoreArchs: d.Architectures, Cache: archives.b.options.Cache, Client: archives.client}, c.pool)
	if err != nil {
		return nil, err
	}
	above, err := archive.Resolve(ctx, &distro.Closure{Packages: have}, rootfs.Wants(wants))
	var unknown *distro.UnknownError
	var unsolvable *distro.UnsolvableError
	if errors.As(err, &unknown) || errors.As(err, &unsolvable) {
		return nil, nil
	}
	return above, err
}

// held are the packages of the pool that can be chosen beside the packages of the archive. If the archive has another file for the same
// version, apt and machines cannot distinguish the two.
func (q *resolution) held(ctx context.Context, base *extendedCommit) ([]distro.Archived, error) {
	var held []distro.Archived
	for _, p := range base.pool {
		offers, err := q.archive.Offers(ctx, p.Name)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(offers, func(o distro.Archived) bool { return o.Package == p.Package && o.SHA256 != p.SHA256 }) {
			q.reporter.warn(fmt.Sprintf("the archive has another file for %s than the pool of commit %.12s: that of the archive is used", p.Package, base.sum))
			continue
		}
		held = append(held, p)
	}
	return held, nil
}

// openAbove opens the archive. If it does not answer, and all packages are from the pool, the indices of an earlier build are
// sufficient for the tools.
func (b *Builder) openAbove(ctx context.Context, s *Subject, archives *archives, pooled bool, r reporter) (distro.Archive, error) {
	archive, err := archives.open(ctx, s.Spec.Flavour.Distribution, s.Spec.Sources)
	if err != nil && pooled && ctx.Err() == nil && !b.options.Offline {
		archives.offline = true
		if earlier, again := archives.open(ctx, s.Spec.Flavour.Distribution, s.Spec.Sources); again == nil {
			r.warn(fmt.Sprintf("the package archive cannot be read. All packages that are added are from the pool of the commit; for the tools that pack them, the indices of an earlier build are used: %v", err))
			return earlier, nil
		}
	}
	return archive, placed(err, s.Spec.Sources, s.Project.Files)
}

// notePool notes the packages that come from the pool, and the packages that do not.
func (c *extendedCommit) notePool(added *distro.Closure, r reporter) {
	if len(c.pool) == 0 {
		return
	}
	var from, others []string
	for _, p := range added.Packages {
		text := p.Name + " " + p.Version
		if slices.ContainsFunc(c.pool, func(o distro.Archived) bool { return o.SHA256 == p.SHA256 }) {
			from = append(from, text)
		} else {
			others = append(others, text)
		}
	}
	if len(from) > 0 {
		r.note("from the pool of commit %.12s: %s", c.sum, strings.Join(from, ", "))
	}
	if len(others) > 0 {
		r.note("not in the pool of commit %.12s, so from the package archive: %s", c.sum, strings.Join(others, ", "))
	}
}
