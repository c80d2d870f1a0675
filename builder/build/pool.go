package build

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/lock"
	"github.com/treewright/treewright/builder/stage/rootfs"
)

// pool are the packages that machines may add later, with their dependencies.
func (p *Prepared) pool() []distro.Archived {
	if p.Packages.Pool == nil {
		return nil
	}
	return p.Packages.Pool.Minus(p.Packages.System).Packages
}

// pool asks for the packages that machines may add later.
func (q *resolution) pool(ctx context.Context, system *distro.Closure) {
	wants := q.subject.Spec.Pool()
	if len(wants) == 0 {
		return
	}
	question := lock.Question{List: lock.Pool, On: lock.Rootfs, Wants: rootfs.Wants(wants)}
	warned := false
	closure, err := q.lists.answer(question, func() (*distro.Closure, error) {
		warned = true
		return q.resolvePool(ctx, system, wants)
	})
	q.mu.Lock()
	defer q.mu.Unlock()
	if closure == nil && err == nil {
		q.lists.mention(question.List, wants)
		return
	}
	if found := explain(err, wants, q.subject.Spec.Flavour.Range); len(found) > 0 {
		q.diags = append(q.diags, found...)
		return
	}
	if err != nil {
		q.errs = append(q.errs, err)
		return
	}
	q.packages.Pool = closure
	for _, w := range wants {
		switch {
		case !warned && slices.Contains(closure.Missed, w.Name):
			q.lacksPool(w, "it could not be added when the lock was made")
		case slices.ContainsFunc(system.Packages, func(p distro.Archived) bool { return p.Name == w.Name }):
			q.reporter.note("%s: the system has %s, so the pool does not need it", config.PlaceOf(w.Range), w.Name)
		}
	}
}

// lacksPool warns of a package that machines cannot add.
func (q *resolution) lacksPool(w compose.Want, why string) {
	q.reporter.warn(fmt.Sprintf("%s: the pool does not have %s: %s", config.PlaceOf(w.Range), w.Name, why))
}

// resolvePool returns the system with all packages that can be added to it, together with their dependencies. If they conflict with each
// other, each is added to the system alone. Packages that cannot be added are listed as missing in the result.
func (q *resolution) resolvePool(ctx context.Context, system *distro.Closure, wants []compose.Want) (*distro.Closure, error) {
	together, err := q.poolWith(ctx, system, wants)
	var unsolvable *distro.UnsolvableError
	if err == nil && q.kernelIn(together, system) == "" || err != nil && !errors.As(err, &unsolvable) {
		return together, err
	}
	all := &distro.Closure{Packages: slices.Clone(system.Packages)}
	for _, w := range wants {
		c, err := q.poolWith(ctx, system, []compose.Want{w})
		why := ""
		switch {
		case errors.As(err, &unsolvable):
			why = unsolvable.Program + " says:\n" + thatMatters(unsolvable.Reason)
		case err != nil:
			return nil, err
		default:
			why = cmp.Or(q.kernelIn(c, system), otherVersion(all, c))
		}
		if why != "" {
			q.lacksPool(w, why)
			all.Missed = append(all.Missed, w.Name)
			continue
		}
		all.Packages = append(all.Packages, c.Minus(all).Packages...)
	}
	slices.SortStableFunc(all.Packages, func(a, b distro.Archived) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Arch, b.Arch))
	})
	return all, nil
}

// poolWith asks for the system with packages.
func (q *resolution) poolWith(ctx context.Context, system *distro.Closure, wants []compose.Want) (*distro.Closure, error) {
	return q.lists.resolve(ctx, q.archive, lock.Question{Wants: rootfs.Wants(wants)}, system)
}

// kernelIn describes a kernel that packages bring, which cannot be added to a commit; "" without a kernel.
func (q *resolution) kernelIn(c, system *distro.Closure) string {
	for _, p := range c.Minus(system).Packages {
		if q.distro.Kernel(p.Name) {
			return fmt.Sprintf("it brings a kernel (%s), which is part of each commit and cannot be added", p.Name)
		}
	}
	return ""
}

// otherVersion describes a package that the pool has in another version already; "" without one.
func otherVersion(all, c *distro.Closure) string {
	for _, p := range c.Packages {
		for _, have := range all.Packages {
			if have.Name == p.Name && have.Arch == p.Arch && have.SHA256 != p.SHA256 {
				return fmt.Sprintf("it needs %s %s, and another package of the pool needs version %s", p.Name, p.Version, have.Version)
			}
		}
	}
	return ""
}
