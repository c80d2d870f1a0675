package build

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/lock"
	"github.com/treewright/treewright/builder/stage/planner"
)

// tools asks for the packages of the tools for a purpose. If the system's suite has
// no boot loader that will do, those for images are without it, and it has a layer
// of its own from a suite that has.
func (q *resolution) tools(ctx context.Context, need planner.Need) {
	d := q.subject.Spec.Flavour.Distribution
	found, err := q.from(ctx, string(need.Purpose), d.Suite, need.Wants)
	if err != nil || found.Packages == nil {
		q.fail(err)
		return
	}
	if f := q.subject.Spec.StageFeature(string(need.Purpose)); f != nil {
		if why := q.distro.Lacks(need.Purpose, d.Suite, found.Packages.Bare()); why != "" {
			q.mu.Lock()
			defer q.mu.Unlock()
			q.diags = append(q.diags, compose.SuiteLacks(q.subject.Spec.Flavour, f.Name, string(need.Purpose), why))
			return
		}
	}
	suite := ""
	if need.Purpose == distro.ForImage {
		suite = q.distro.Elsewhere(distro.ForBootLoader, found.Packages.Bare())
	}
	if suite == "" || suite == d.Suite {
		q.note(need.Purpose, found)
		return
	}
	if found, err = q.from(ctx, string(need.Purpose)+"-alone", d.Suite, q.distro.Tools(need.Purpose, d.Arch)); err != nil {
		q.fail(err)
		return
	}
	q.note(need.Purpose, found)
	loader, err := q.from(ctx, string(distro.ForBootLoader), suite, q.distro.Tools(distro.ForBootLoader, d.Arch))
	if err != nil {
		why := fmt.Sprintf("%s has no boot loader that reads the boot entries of ostree; it is taken from %s", d.Suite, suite)
		var faults *diag.Faults
		if errors.As(err, &faults) {
			for _, f := range faults.List {
				f.Detail += " It is asked because " + why + "."
			}
		}
		q.fail(fmt.Errorf("%s: %w", why, err))
		return
	}
	q.note(distro.ForBootLoader, loader)
}

// note keeps the tools for a purpose.
func (q *resolution) note(purpose distro.Purpose, tools planner.Tools) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.packages.Tools[purpose] = tools
}

// fail keeps an error, if it is one.
func (q *resolution) fail(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.errs = append(q.errs, err)
}

// from resolves tools from a suite; name is that of their lists. They are of this machine's
// architecture, and if that is not the system's, what is data to them is still of the
// system's. Those of another suite or architecture have a base of their own. So do those that
// would otherwise have packages of further sources: these sources are for the system, and
// another version of a tool would change the bytes of images. If the lock has no answer, the
// tools have no packages.
func (q *resolution) from(ctx context.Context, name, suite string, wants []distro.Want) (planner.Tools, error) {
	d := q.subject.Spec.Flavour.Distribution
	tools, base := planner.Tools{Wants: wants}, q.packages.Base
	var data []distro.Want
	if q.own != d.Arch {
		tools.Wants, data = apart(wants, q.distro.Data(d.Arch))
	}
	own := lock.Question{List: lock.Tools + name, On: lock.Bootstrap, Wants: tools.Wants}
	var err error
	if suite == d.Suite && q.own == d.Arch {
		tools.Packages, err = q.lists.ask(ctx, q.archive, own, base)
		if tools.Packages == nil {
			return tools, err
		}
	}
	if tools.Packages == nil || q.strange(tools.Packages) {
		var release string
		tools.Packages, base, release, err = q.beside(ctx, suite, q.own, own)
		if err != nil || tools.Packages == nil {
			return tools, err
		}
		tools.From = &planner.Origin{Suite: suite, Arch: q.own, Release: release, Base: base}
		if suite == d.Suite && q.own == d.Arch && base.Digest() == q.packages.Base.Digest() {
			tools.From = nil // one bootstrap does for both
		}
	}
	if len(data) == 0 {
		return tools, nil
	}
	all, err := q.data(ctx, name, suite, data)
	if err != nil || all == nil {
		return planner.Tools{}, err
	}
	tools.Data = &distro.Closure{}
	for _, p := range all.Packages {
		if slices.ContainsFunc(data, func(w distro.Want) bool { return w.Name == p.Name }) {
			tools.Data.Packages = append(tools.Data.Packages, p)
		}
	}
	return tools, nil
}

// data resolves packages that are data to tools, for the architecture of the system.
func (q *resolution) data(ctx context.Context, name, suite string, wants []distro.Want) (all *distro.Closure, err error) {
	d := q.subject.Spec.Flavour.Distribution
	own := lock.Question{List: lock.Data + name, On: lock.Bootstrap, Wants: wants}
	if suite == d.Suite {
		all, err = q.lists.ask(ctx, q.archive, own, q.packages.Base)
		if err != nil || all == nil || !q.strange(all) {
			return all, err
		}
	}
	all, _, _, err = q.beside(ctx, suite, d.Arch, own)
	return all, err
}

// beside asks the archive of another suite or architecture, which has a base of its own and
// a release file.
func (q *resolution) beside(ctx context.Context, suite, arch string, own lock.Question) (c, base *distro.Closure, release string, err error) {
	q.opening.Lock()
	defer q.opening.Unlock()
	var archive distro.Archive
	own.Archive = suite + " " + arch
	if q.lists.locked == nil {
		if archive, err = q.open(ctx, suite, arch); err != nil {
			return nil, nil, "", err
		}
		q.lists.sources(own.Archive, archive.Releases())
	}
	at := strings.ReplaceAll(suite, "/", "-") + "-" + arch
	own.On, own.List = lock.Bootstrap+"/"+at, own.List+"/"+at
	if base, err = q.lists.ask(ctx, archive, lock.Question{List: own.On, Archive: own.Archive}, nil); err != nil || base == nil {
		return nil, nil, "", err
	}
	c, err = q.lists.ask(ctx, archive, own, base)
	return c, base, q.lists.release(own.Archive), err
}

// strange reports whether there is a package of a source that is not the distribution's
// own.
func (q *resolution) strange(c *distro.Closure) bool {
	return slices.ContainsFunc(c.Packages, func(p distro.Archived) bool {
		return p.Source != distro.MainSource && !slices.Contains(distro.OwnSources, p.Source) &&
			slices.ContainsFunc(q.subject.Spec.Sources, func(s config.Source) bool { return s.Name == p.Source })
	})
}

// apart parts packages that are data from programs.
func apart(wants, known []distro.Want) (programs, data []distro.Want) {
	for _, w := range wants {
		if slices.Contains(known, w) {
			data = append(data, w)
		} else {
			programs = append(programs, w)
		}
	}
	return programs, data
}
