package cli

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/cache"
	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro/debian"
	"github.com/treewright/treewright/builder/download"
	"github.com/treewright/treewright/builder/engine"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/stage"
)

// prepared is a flavour with its plan, ready to be run or shown.
type prepared struct {
	project  *config.Project
	spec     *compose.Spec
	packages stage.Packages
	history  ostree.History
	release  string
	graph    *plan.Graph
	cache    *cache.Cache
	store    *layer.Store // the cache's
	output   engine.Output
}

// prepare resolves a subject's packages and history and plans its steps. What
// the plan relies on stays in the cache until its store is closed.
func (c *command) prepare(ctx context.Context, project *config.Project, s *subject, sink event.Sink) (*prepared, error) {
	c.options.current = s.name
	if err := c.hideFolders(c.options.cache, c.options.output); err != nil {
		return nil, err
	}
	p := &prepared{project: project, spec: s.spec, output: c.outputOf(s.spec)}
	return p, c.planning(ctx, p, sink, func() error { return c.plan(ctx, p, s, sink) })
}

// planning opens the cache and does what finds out what a plan relies on, and
// makes the plan.
func (c *command) planning(ctx context.Context, p *prepared, sink event.Sink, do func() error) (err error) {
	if p.cache == nil {
		if p.cache, err = cache.Open(c.options.cache); err != nil {
			return err
		}
		p.store = p.cache.Store
	}
	done, err := p.cache.Planning(ctx, func() {
		sink.Emit(event.Event{Time: time.Now(), Kind: event.Waiting, Line: "room is made in the cache just now; this goes on when that is done"})
	})
	if err != nil {
		return err
	}
	defer done()
	if err := do(); err != nil {
		return err
	}
	paths := []string{p.history.Repo}
	for _, step := range p.graph.Steps() {
		for _, src := range step.Sources {
			paths = append(paths, src.Path)
		}
	}
	return p.cache.Rely(paths...)
}

// plan does the work of prepare.
func (c *command) plan(ctx context.Context, p *prepared, s *subject, sink event.Sink) error {
	f := s.spec.Flavour
	bootstrapper, err := c.checkHost(ctx, sink, f.Distribution.Arch)
	if err != nil {
		return err
	}
	policy, err := debian.HostPolicy(ctx)
	if err != nil {
		return err
	}
	if text := policy.String(); text != "" {
		sink.Emit(event.Event{Time: time.Now(), Kind: event.Note, Line: "this machine's apt policy is followed: " + text})
	}
	s.tree.Apt = policy.Conf()
	client := policy.Client(download.Patient, notes(sink))
	// Two questions that know nothing of each other.
	found := make(chan error, 1)
	asking, stop := context.WithCancel(ctx)
	defer stop()
	go func() { found <- p.findHistory(asking, c, client, sink) }()
	err = phase(sink, "resolve packages", func() error {
		return p.resolvePackages(ctx, c, policy, client, sink)
	})
	if err != nil {
		stop()
		<-found
		return err
	}
	if err := <-found; err != nil {
		return err
	}
	if diags := accountsMoved(p.project.Accounts, p.history.Accounts); diags.HasErrors() {
		return &diag.Faults{Files: p.project.Files, List: diags}
	}
	sources := c.sources(p.project)
	sources.Damaged = func(path string) {
		sink.Emit(event.Event{Time: time.Now(), Kind: event.Warning, Line: "a snapshot of source files in the cache is damaged and is taken anew: " + path})
	}
	p.graph, err = stage.Plan(stage.Request{
		Spec: p.spec, Packages: p.packages, History: p.history, Made: p.made, Accounts: p.project.Ledger(), Project: c.options.dir, Tree: s.tree, Bootstrapper: bootstrapper,
		Sources: sources,
		Fetch: debian.FetchHints{
			Mirror: f.Distribution.Mirror, Cache: filepath.Join(c.options.cache, "packages"), Proxies: policy.Proxies(),
		},
	})
	return err
}

// notes tells what is worth knowing.
func notes(sink event.Sink) func(string) {
	return func(line string) { sink.Emit(event.Event{Time: time.Now(), Kind: event.Note, Line: line}) }
}

// phase runs work that comes before any step and shows how long it takes.
func phase(sink event.Sink, title string, do func() error) error {
	start := time.Now()
	sink.Emit(event.Event{Time: start, Kind: event.PhaseStarted, Title: title})
	if err := do(); err != nil {
		return err
	}
	sink.Emit(event.Event{Time: time.Now(), Kind: event.PhaseFinished, Title: title, Duration: time.Since(start)})
	return nil
}

// resolvePackages asks apt for the exact packages of every tree.
func (p *prepared) resolvePackages(ctx context.Context, c *command, policy debian.Policy, client *download.Client, sink event.Sink) error {
	d := p.spec.Flavour.Distribution
	archive, err := debian.OpenArchive(ctx, c.options.cache, debian.Source{
		Mirror: d.Mirror, Suite: d.Suite, Arch: d.Arch, Components: d.Components, Keyring: c.keyring(d.Keyring),
	}, policy, c.options.offline, client)
	if err != nil {
		return err
	}
	p.release = archive.Release()
	base, err := archive.Resolve(ctx, nil, nil)
	if err != nil {
		return err
	}
	p.packages = stage.Packages{Base: base, Build: map[string]*debian.Closure{}, Extensions: map[string]*debian.Closure{}}
	seed := base
	if p.spec.Target != nil {
		if seed, err = archive.Resolve(ctx, base, stage.SeedPackages); err != nil {
			return err
		}
		p.packages.Seed = seed
		if p.packages.ToolWants, err = scriptTools(ctx, archive, sink); err != nil {
			return err
		}
	}

	// The trees' questions are independent of each other, but for extensions,
	// which stand on the system.
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		diags hcl.Diagnostics
		errs  []error
	)
	ask := func(on *debian.Closure, wants []debian.Want, mentions []compose.Want, then func(*debian.Closure)) {
		closure, err := archive.Resolve(ctx, on, wants)
		mu.Lock()
		defer mu.Unlock()
		if found := explain(err, mentions); len(found) > 0 {
			diags = append(diags, found...)
		} else if err != nil {
			errs = append(errs, err)
		} else {
			then(closure)
		}
	}
	start := func(do func()) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			do()
		}()
	}
	start(func() {
		wants := p.packages.ToolWants
		if wants == nil {
			wants = stage.Tools(d.Arch)
		}
		ask(base, wants, nil, func(c *debian.Closure) { p.packages.Tools = c })
	})
	for feature, wants := range p.spec.BuildPackages {
		start(func() {
			ask(base, stage.Wants(wants), wants, func(c *debian.Closure) { p.packages.Build[feature] = c })
		})
	}
	start(func() {
		ask(seed, stage.Wants(p.spec.Packages), p.spec.Packages, func(c *debian.Closure) { p.packages.System = c })
		on := p.packages.System
		if on == nil {
			// Still find what is unknown in the extensions.
			on = base
		}
		for _, ext := range p.spec.Extensions {
			ask(on, stage.Wants(ext.Packages), ext.Packages, func(c *debian.Closure) { p.packages.Extensions[ext.Name] = c })
		}
	})
	wg.Wait()
	if diags.HasErrors() {
		return &diag.Faults{Files: p.project.Files, List: diags}
	}
	return errors.Join(errs...)
}

// scriptTools are the packages of a target's tools that the archive has.
func scriptTools(ctx context.Context, archive *debian.Archive, sink event.Sink) ([]debian.Want, error) {
	index, err := archive.Index(ctx)
	if err != nil {
		return nil, err
	}
	required := stage.Tools(archive.Source.Arch)
	var wants []debian.Want
	for _, w := range stage.ScriptTools(archive.Source.Arch) {
		if index.Has(w.Name) || slices.Contains(required, w) {
			wants = append(wants, w)
			continue
		}
		sink.Emit(event.Event{Time: time.Now(), Kind: event.Note, Line: "the archive has no " + w.Name + ", which a script that makes images might look for"})
	}
	return wants, nil
}

// explain turns what the resolver says into diagnostics at the lines where the
// packages are asked for.
func explain(err error, mentions []compose.Want) hcl.Diagnostics {
	var diags hcl.Diagnostics
	var unknown *debian.UnknownError
	var unsolvable *debian.UnsolvableError
	switch {
	case errors.As(err, &unknown):
		for _, w := range unknown.Missing {
			for _, m := range mentions {
				if m.Name == w.Name && m.Version == w.Version {
					diags = append(diags, unknownPackage(unknown.Source, unknown.Index, m))
				}
			}
		}
	case errors.As(err, &unsolvable):
		// apt names the packages that stand in each other's way.
		words := strings.FieldsFunc(unsolvable.Reason, func(r rune) bool { return strings.ContainsRune(" \n:,()", r) })
		for _, m := range mentions {
			if slices.Contains(words, m.Name) {
				diags = append(diags, &hcl.Diagnostic{
					Severity: hcl.DiagError, Summary: "Packages that do not go together",
					Detail: "apt says:\n" + unsolvable.Reason, Subject: m.Range.Ptr(),
				})
			}
		}
	}
	return diags
}

// sources are where snapshots of a project's files lie.
func (c *command) sources(p *config.Project) stage.Sources {
	return stage.Sources{Root: filepath.Join(c.options.cache, "sources"), Tree: c.options.dir, Lenient: p.Foreign}
}
