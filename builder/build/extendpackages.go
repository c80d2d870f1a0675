package build

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/extend"
	"github.com/treewright/treewright/builder/rules"
	"github.com/treewright/treewright/builder/stage/added"
	"github.com/treewright/treewright/builder/stage/planner"
	"github.com/treewright/treewright/builder/stage/rootfs"
)

// hasTools reports whether a commit has the packages of the tools that pack an extension. Then these are used, also by
// builders that could have others, so that the image is the same wherever it is made.
func (c *extendedCommit) hasTools(spec *compose.Spec, m planner.Method, d distro.Distro, have []distro.Archived) bool {
	for _, need := range planner.Needs(spec, m, d) {
		for _, w := range need.Wants {
			if !slices.ContainsFunc(have, func(p distro.Archived) bool { return p.Name == w.Name }) {
				return false
			}
		}
	}
	return true
}

// resolveAbove finds the exact packages of an extension above a commit with the packages have, and those of the tools that pack it
// unless the commit has its own.
func (b *Builder) resolveAbove(ctx context.Context, p *Prepared, base *extendedCommit, have []distro.Archived, own bool, archives *archives, r reporter) error {
	s := p.Subject
	pooled, err := base.alone(ctx, archives, have, s.Spec.Extensions[0].Packages)
	if err != nil {
		return err
	}
	q := &resolution{distro: p.distro, subject: s, reporter: r, own: archives.arch, lists: newLists(s, nil)}
	if pooled == nil || !own {
		if q.archive, err = b.openAbove(ctx, s, archives, pooled != nil, r); err != nil {
			return err
		}
		p.archive, p.Releases = q.archive, q.archive.Releases()
	}
	q.open = archives.others(s)
	needs := planner.Needs(s.Spec, s.Method, p.distro)
	if own {
		q.packages = planner.Packages{Tools: map[distro.Purpose]planner.Tools{}, Extensions: map[string]*distro.Closure{}}
		for _, need := range needs {
			q.packages.Tools[need.Purpose] = planner.Tools{Wants: need.Wants, Packages: &distro.Closure{}, Step: added.RestoredStep}
		}
	} else if _, _, err := q.base(ctx); err != nil {
		return unsolvedBase(err, s)
	} else {
		for _, need := range needs {
			q.wg.Go(func() { q.tools(ctx, need) })
		}
	}
	system, above, err := q.above(ctx, base, have, pooled)
	q.wg.Wait()
	if q.diags.HasErrors() {
		return &diag.Faults{Files: s.Project.Files, List: q.diags}
	}
	if err := errors.Join(append(q.errs, err)...); err != nil {
		return err
	}
	p.Packages = q.packages
	p.Packages.System, p.Packages.Extensions[extend.Extension] = system, above
	return nil
}

// above returns the packages of a commit, and those with the packages that are asked for. Packages of the commit keep their
// versions, whatever the archive has now. pooled is the answer if the pool of the commit alone has it, nil if it does not.
func (q *resolution) above(ctx context.Context, base *extendedCommit, have []distro.Archived, pooled *distro.Closure) (system, above *distro.Closure, err error) {
	wants := q.subject.Spec.Extensions[0].Packages
	system, above = &distro.Closure{Packages: have}, pooled
	base.noteThere(system, wants, q.subject.Spec.Flavour.Distribution.Arch)
	for _, note := range base.there {
		q.reporter.warn(note)
	}
	if pooled == nil {
		if system, above, err = q.aboveArchive(ctx, base, have, wants); err != nil {
			return nil, nil, err
		}
	}
	base.notePool(above.Minus(system), q.reporter)
	if err := base.allowed(above.Minus(system), wants); err != nil {
		return nil, nil, err
	}
	for _, p := range above.Minus(system).Packages {
		if q.distro.Kernel(p.Name) {
			return nil, nil, &extend.Failure{Reason: extend.Unfit, Text: fmt.Sprintf(
				"%s brings a kernel (%s), and the kernel and its initramfs are part of the commit: add it to the features of flavour %s", list(q.kernels(wants)), p.Name, base.flavour.Name)}
		}
	}
	return system, above, nil
}

// aboveArchive asks the archive, where the pool of the commit alone does not do. What the pool has is chosen from it all the same.
func (q *resolution) aboveArchive(ctx context.Context, base *extendedCommit, have []distro.Archived, wants []compose.Want) (system, above *distro.Closure, err error) {
	if system, err = q.asOffered(ctx, have); err != nil {
		return nil, nil, err
	}
	held, err := q.held(ctx, base)
	if err != nil {
		return nil, nil, err
	}
	if len(held) > 0 {
		if above, err = q.archive.Holding(held).Resolve(ctx, system, rootfs.Wants(wants)); err == nil {
			return system, above, nil
		}
		// What the pool has can be too old for what it does not have.
	}
	if above, err = q.archive.Resolve(ctx, system, rootfs.Wants(wants)); err != nil {
		return nil, nil, q.failure(ctx, base, system, wants, err)
	}
	return system, above, nil
}

// kernels are the packages that are asked for and bring a kernel by their names; all if none does.
func (q *resolution) kernels(wants []compose.Want) []compose.Want {
	found := slices.DeleteFunc(slices.Clone(wants), func(w compose.Want) bool { return !q.distro.Kernel(w.Name) })
	if len(found) == 0 {
		return wants
	}
	return found
}

// asOffered returns installed packages as the archive describes them, where it still has them in that version.
func (q *resolution) asOffered(ctx context.Context, have []distro.Archived) (*distro.Closure, error) {
	c := &distro.Closure{}
	for _, p := range have {
		offers, err := q.archive.Offers(ctx, p.Name)
		if err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(offers, func(o distro.Archived) bool { return o.Package == p.Package }); i >= 0 {
			p = offers[i]
		}
		c.Packages = append(c.Packages, p)
	}
	return c, nil
}

// noteThere notes which of the packages the commit has already. They are no fault: a machine keeps asking for what was added to it, also when
// the next commit has it, and its upgrade must not wait.
func (c *extendedCommit) noteThere(system *distro.Closure, wants []compose.Want, arch string) {
	for _, w := range wants {
		if slices.ContainsFunc(system.Packages, func(p distro.Archived) bool { return p.Name == w.Name && (p.Arch == arch || p.Arch == "all") }) {
			c.there = append(c.there, fmt.Sprintf("%s is part of commit %.12s: it is not added", w.Name, c.sum))
		}
	}
}

// failure explains why packages cannot be added.
func (q *resolution) failure(ctx context.Context, base *extendedCommit, system *distro.Closure, wants []compose.Want, err error) error {
	var unknown *distro.UnknownError
	var unsolvable *distro.UnsolvableError
	switch {
	case errors.As(err, &unknown):
		var texts []string
		for _, d := range explain(err, wants, q.subject.Spec.Flavour.Range) {
			texts = append(texts, strings.TrimSuffix(d.Detail, rules.NoReplacement))
		}
		return &extend.Failure{Reason: extend.UnknownPackage, Text: strings.Join(texts, "\n"), Err: err}
	case errors.As(err, &unsolvable):
		why := q.inTheWay(ctx, base, system, wants, unsolvable)
		return &extend.Failure{Reason: extend.Unfit, Text: fmt.Sprintf("%s cannot be added to commit %.12s: %s", list(wants), base.sum, why), Err: err}
	}
	return err
}

// allowed refuses packages that come from other sources than those that are allowed.
func (c *extendedCommit) allowed(added *distro.Closure, wants []compose.Want) error {
	if c.sources == nil {
		return nil
	}
	var others []string
	for _, p := range added.Packages {
		if source := cmp.Or(p.Source, distro.MainSource); !slices.Contains(c.sources, source) {
			others = append(others, fmt.Sprintf("%s from the source %s", p.Name, source))
		}
	}
	if len(others) == 0 {
		return nil
	}
	return &extend.Failure{Reason: extend.NotAllowed, Text: fmt.Sprintf("%s would bring %s; only packages of these sources are allowed: %s", list(wants), strings.Join(others, ", "), strings.Join(c.sources, ", "))}
}

// list names the packages that are asked for.
func list(wants []compose.Want) string {
	names := make([]string, len(wants))
	for i, w := range wants {
		names[i] = w.Name
	}
	return strings.Join(names, ", ")
}
