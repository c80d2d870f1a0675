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

// hasTools reports whether a commit has the packages of the tools that pack an extension. Then these tools are used, also by
// builders that could have others, so that every builder makes the same image.
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

// resolveAbove finds the exact packages of an extension above a commit with the packages have, and the packages of the tools that pack it
// unless the commit has its own tools.
func (b *Builder) resolveAbove(ctx context.Context, p *Prepared, base *extendedCommit, have []distro.Archived, own bool, archives *archives, r reporter) error {
	s := p.Subject
	pooled, err := base.alone(ctx, archives, have, base.lacking(have, s.Spec.Extensions[0].Packages))
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

// above returns the packages of a commit, and the same packages together with the requested packages. Packages of the commit keep
// their versions, also if the archive has other versions now. pooled is the solution from the pool of the commit alone, or nil
// without one.
func (q *resolution) above(ctx context.Context, base *extendedCommit, have []distro.Archived, pooled *distro.Closure) (system, above *distro.Closure, err error) {
	wants := q.subject.Spec.Extensions[0].Packages
	system, above = &distro.Closure{Packages: have}, pooled
	base.noteThere(have, wants)
	for _, note := range base.notes {
		q.reporter.warn(note)
	}
	if pooled == nil {
		if system, above, err = q.aboveArchive(ctx, base, have, base.lacking(have, wants)); err != nil {
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

// aboveArchive asks the archive if the pool of the commit alone is not sufficient. Packages that the pool has still come from the pool.
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
		// The packages of the pool can be too old for the packages that it lacks.
	}
	if above, err = q.archive.Resolve(ctx, system, rootfs.Wants(wants)); err != nil {
		return nil, nil, q.failure(ctx, base, system, wants, err)
	}
	return system, above, nil
}

// kernels are the requested packages with the name of a kernel; all requested packages without such a name.
func (q *resolution) kernels(wants []compose.Want) []compose.Want {
	found := slices.DeleteFunc(slices.Clone(wants), func(w compose.Want) bool { return !q.distro.Kernel(w.Name) })
	if len(found) == 0 {
		return wants
	}
	return found
}

// asOffered returns installed packages with the archive's description, if the archive still has them in that version.
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

// noteThere notes the packages that the commit has already. They are not a fault: a machine keeps asking for its added packages, also if
// the next commit has them, and its upgrade must not wait.
func (c *extendedCommit) noteThere(have []distro.Archived, wants []compose.Want) {
	for _, w := range wants {
		if c.there(have, w) {
			c.notes = append(c.notes, fmt.Sprintf("%s is part of commit %.12s: it is not added", w.Name, c.sum))
		}
	}
}

// lacking are the requested packages that the commit does not have. The archive may not know the others: a flavour can have packages of its own.
func (c *extendedCommit) lacking(have []distro.Archived, wants []compose.Want) []compose.Want {
	return slices.DeleteFunc(slices.Clone(wants), func(w compose.Want) bool { return c.there(have, w) })
}

// there reports whether the commit has a package.
func (c *extendedCommit) there(have []distro.Archived, w compose.Want) bool {
	arch := c.flavour.Spec.Flavour.Distribution.Arch
	return slices.ContainsFunc(have, func(p distro.Archived) bool { return p.Name == w.Name && (p.Arch == arch || p.Arch == "all") })
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

// allowed refuses packages from sources that are not allowed.
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

// list names the requested packages.
func list(wants []compose.Want) string {
	names := make([]string, len(wants))
	for i, w := range wants {
		names[i] = w.Name
	}
	return strings.Join(names, ", ")
}
