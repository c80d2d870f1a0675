package build

import (
	"context"
	"fmt"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/stage/planner"
)

// tools asks for the packages of the tools for a purpose. If the system's suite has
// no boot loader that will do, those for images are without it, and it has a layer
// of its own from a suite that has.
func (q *resolution) tools(ctx context.Context, base *distro.Closure, need planner.Need) {
	var found *distro.Closure
	q.ask(ctx, base, need.Wants, nil, func(c *distro.Closure) { found = c })
	if found == nil {
		return
	}
	flavour := q.subject.Spec.Flavour
	d := flavour.Distribution
	if f := q.subject.Spec.StageFeature(string(need.Purpose)); f != nil {
		if why := q.distro.Lacks(need.Purpose, d.Suite, found.Bare()); why != "" {
			q.mu.Lock()
			defer q.mu.Unlock()
			q.diags = append(q.diags, compose.SuiteLacks(flavour, f.Name, string(need.Purpose), why))
			return
		}
	}
	suite := ""
	if need.Purpose == distro.ForImage {
		suite = q.distro.Elsewhere(distro.ForBootLoader, found.Bare())
	}
	if suite == "" || suite == d.Suite {
		q.note(need.Purpose, planner.Tools{Wants: need.Wants, Packages: found})
		return
	}
	own := q.distro.Tools(need.Purpose, d.Arch)
	q.ask(ctx, base, own, nil, func(c *distro.Closure) {
		q.packages.Tools[need.Purpose] = planner.Tools{Wants: own, Packages: c}
	})
	loader, err := q.from(ctx, suite, q.distro.Tools(distro.ForBootLoader, d.Arch))
	if err != nil {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.errs = append(q.errs, fmt.Errorf("%s has no boot loader that reads the boot entries of ostree; it is taken from %s: %w", d.Suite, suite, err))
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

// from resolves tools from another suite, on a base of that suite.
func (q *resolution) from(ctx context.Context, suite string, wants []distro.Want) (planner.Tools, error) {
	archive, err := q.open(ctx, suite)
	if err != nil {
		return planner.Tools{}, err
	}
	base, err := archive.Resolve(ctx, nil, nil)
	if err != nil {
		return planner.Tools{}, err
	}
	c, err := archive.Resolve(ctx, base, wants)
	if err != nil {
		return planner.Tools{}, err
	}
	from := &planner.Origin{Suite: suite, Arch: q.subject.Spec.Flavour.Distribution.Arch, Release: archive.Releases()[0].SHA256, Base: base}
	return planner.Tools{Wants: wants, Packages: c, From: from}, nil
}
