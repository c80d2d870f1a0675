package build

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/download"
	"github.com/treewright/treewright/builder/lock"
	"github.com/treewright/treewright/builder/stage/planner"
	"github.com/treewright/treewright/builder/stage/rootfs"
)

// archives opens archives of a family as this machine reaches them.
type archives struct {
	b      *Builder
	distro distro.Distro
	access distro.Access
	client *download.Client
	// arch is the architecture of the tools.
	arch string
	// offline keeps from asking for news, as the option of the builder does.
	offline bool
}

// archives finds out how archives are asked from here.
func (b *Builder) archives(ctx context.Context, d distro.Distro, r reporter, timing download.Timing) (*archives, error) {
	access, err := d.Access(ctx, b.auth())
	if err != nil {
		return nil, err
	}
	return &archives{b: b, distro: d, access: access, client: access.Client(timing, func(line string) { r.note("%s", line) }), arch: b.backend.Arch}, nil
}

// open makes the indices of some sources current, for a distribution's
// architectures.
func (a *archives) open(ctx context.Context, d config.Distribution, sources []config.Source) (distro.Archive, error) {
	list, err := a.sources(d, sources)
	if err != nil {
		return nil, err
	}
	return a.access.Open(ctx, distro.ArchiveOptions{
		Sources: list, Arch: d.Arch, MoreArchs: d.Architectures,
		Cache: a.b.options.Cache, Client: a.client, Offline: a.b.options.Offline || a.offline,
	})
}

// others returns a function that opens the archive of a subject for another suite or architecture.
func (a *archives) others(s *Subject) func(ctx context.Context, suite, arch string) (distro.Archive, error) {
	return func(ctx context.Context, suite, arch string) (distro.Archive, error) {
		other := otherSuite(s.Spec.Flavour.Distribution, suite, arch)
		archive, err := a.open(ctx, other, other.All())
		return archive, placed(err, other.All(), s.Project.Files)
	}
}

// distro returns a subject's family.
func (b *Builder) distro(s *Subject) (distro.Distro, error) {
	return b.backend.Families.Of(s.Spec.Flavour.Distribution.Family)
}

// resolution asks an archive for the exact packages of all of a subject's trees.
type resolution struct {
	distro   distro.Distro
	archive  distro.Archive
	subject  *Subject
	packages planner.Packages
	reporter reporter
	// own is this machine's architecture, that of tools. open opens the archive of
	// another suite or architecture, one at a time.
	own     string
	open    func(ctx context.Context, suite, arch string) (distro.Archive, error)
	opening sync.Mutex
	// local are the packages in files of features, by their path in the tree.
	local map[string]compose.Want
	// lists are what was asked, and the lock that answers it.
	lists *lists

	wg    sync.WaitGroup
	mu    sync.Mutex
	diags hcl.Diagnostics
	errs  []error
}

// resolvePackages returns the exact packages of every tree.
func resolvePackages(ctx context.Context, d distro.Distro, archives *archives, archive distro.Archive, lists *lists, s *Subject, r reporter) (planner.Packages, error) {
	q := &resolution{distro: d, archive: archive, subject: s, reporter: r, own: archives.arch, lists: lists}
	q.open = archives.others(s)
	if err := q.readLocal(ctx, archives.b.options.Tree); err != nil {
		return q.packages, err
	}
	seed, scripts, err := q.base(ctx)
	if err != nil {
		return q.packages, unsolvedBase(err, s)
	}
	if lists.lacks(lock.Bootstrap) {
		return q.packages, lists.fault(s)
	}
	// The trees' questions are independent of each other, except for extensions,
	// which are installed above the system.
	base := q.packages.Base
	for _, need := range planner.Needs(s.Spec, s.Method, d) {
		if need.Purpose == distro.ForScripts && scripts != nil {
			need.Wants = scripts
		}
		q.wg.Go(func() { q.tools(ctx, need) })
	}
	for feature, wants := range s.Spec.BuildPackages {
		q.wg.Go(func() {
			q.ask(ctx, lock.Build+feature, lock.Bootstrap, base, rootfs.Wants(wants), wants, func(c *distro.Closure) { q.packages.Build[feature] = c })
		})
	}
	q.wg.Go(func() { q.system(ctx, seed) })
	q.wg.Wait()
	if q.diags.HasErrors() {
		return q.packages, &diag.Faults{Files: s.Project.Files, List: q.diags}
	}
	if err := errors.Join(q.errs...); err != nil {
		return q.packages, err
	}
	return q.packages, lists.fault(s)
}

// otherSuite is the distribution that the packages of another suite or architecture
// come from: the same archive, signed by the same keys. With the same suite comes what
// belongs to it, such as its security updates; other people's sources may have no
// packages of another architecture.
func otherSuite(d config.Distribution, suite, arch string) config.Distribution {
	other := config.Distribution{Family: d.Family, Suite: suite, Arch: arch, Mirror: d.Mirror, Components: d.Components, Keyring: d.Keyring, CA: d.CA, Range: d.Range, Places: d.Places}
	if suite == d.Suite {
		for _, s := range d.Sources {
			if s.Name == config.MainSource || slices.Contains(distro.OwnSources, s.Name) {
				other.Sources = append(other.Sources, s)
			}
		}
	}
	return other
}

// base asks for what all others are installed above. It returns what the system is installed above
// and, if it wishes for more than all have, what tools its scripts find.
func (q *resolution) base(ctx context.Context) (seed *distro.Closure, scripts []distro.Want, err error) {
	base, err := q.lists.ask(ctx, q.archive, lock.Question{List: lock.Bootstrap}, nil)
	if err != nil || base == nil {
		return nil, nil, err
	}
	q.packages = planner.Packages{Base: base, Tools: map[distro.Purpose]planner.Tools{}, Build: map[string]*distro.Closure{}, Extensions: map[string]*distro.Closure{}}
	method := q.subject.Method
	seed = base
	if method.Seed != nil {
		if seed, err = q.lists.ask(ctx, q.archive, lock.Question{List: lock.Seed, On: lock.Bootstrap, Wants: method.Seed}, base); err != nil {
			return nil, nil, err
		}
		q.packages.Seed = seed
	}
	if method.Tools != nil {
		scripts, err = q.scriptTools(ctx, method.Tools)
	}
	q.takeLocal()
	return seed, scripts, err
}

// system asks for the system's packages, then for those of its extensions.
func (q *resolution) system(ctx context.Context, seed *distro.Closure) {
	spec := q.subject.Spec
	wishes := q.wishes(spec.Features, spec.Packages, spec.Excluded, spec.Forbidden)
	on := lock.Bootstrap
	if seed != q.packages.Base {
		on = lock.Seed
	}
	q.ask(ctx, lock.Rootfs, on, seed, rootfs.Wants(wishes), wishes, func(c *distro.Closure) { q.packages.System = c })
	forbidden := slices.Clone(spec.Forbidden)
	for _, ext := range spec.Extensions {
		forbidden = append(forbidden, ext.Forbidden...)
	}
	if err := q.remarkUnknown(ctx, forbidden); err != nil {
		q.mu.Lock()
		q.errs = append(q.errs, err)
		q.mu.Unlock()
	}
	system := q.packages.System
	if system == nil {
		// Still find what is unknown in the extensions.
		system = q.packages.Base
	}
	for _, ext := range spec.Extensions {
		wishes := q.wishes(ext.Features, ext.Packages, ext.Excluded, ext.Forbidden)
		q.replacing(system, wishes)
		q.ask(ctx, lock.Extension+ext.Name, lock.Rootfs, system, rootfs.Wants(wishes), wishes, func(c *distro.Closure) { q.packages.Extensions[ext.Name] = c })
	}
	q.pool(ctx, system)
}

// ask asks one question, and notes the answer or what is wrong with it.
func (q *resolution) ask(ctx context.Context, list, onList string, on *distro.Closure, wants []distro.Want, mentions []compose.Want, then func(*distro.Closure)) {
	closure, err := q.lists.ask(ctx, q.archive, lock.Question{List: list, On: onList, Wants: wants}, on)
	q.mu.Lock()
	defer q.mu.Unlock()
	if closure == nil && err == nil {
		q.lists.mention(list, mentions)
		return
	}
	if found := explain(err, mentions, q.subject.Spec.Flavour.Range); len(found) > 0 {
		q.diags = append(q.diags, found...)
	} else if err != nil {
		q.errs = append(q.errs, err)
	} else {
		then(closure)
		q.remark(closure, mentions)
	}
}

// scriptTools are the packages of the tools for scripts: of those wished for, what
// the archive has.
func (q *resolution) scriptTools(ctx context.Context, wished []distro.Want) ([]distro.Want, error) {
	archive := q.archive
	if d := q.subject.Spec.Flavour.Distribution; q.own != d.Arch {
		var err error
		if archive, err = q.open(ctx, d.Suite, q.own); err != nil {
			return nil, err
		}
	}
	index, err := archive.Index(ctx)
	if err != nil {
		return nil, err
	}
	wants := planner.ToolWants(q.distro, distro.ForScripts, q.subject.Spec.Flavour.Distribution.Arch)
	for _, w := range wished {
		if index.Has(w.Name) {
			wants = append(wants, w)
			continue
		}
		q.reporter.note("the package archive has no %s, which a script that makes images might need", w.Name)
	}
	return wants, nil
}
