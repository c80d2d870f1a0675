package build

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/treewright/treewright/builder/cache"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/download"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/source"
	"github.com/treewright/treewright/builder/stage"
	"github.com/treewright/treewright/builder/stage/planner"
)

// Prepare finds a subject's exact packages and its history, and plans its steps.
func (b *Builder) Prepare(ctx context.Context, s *Subject, sink event.Sink) (*Prepared, error) {
	sink = heard(sink)
	ctx = event.Within(ctx, sink)
	if err := b.hideDirectories(b.options.Cache, b.options.Output); err != nil {
		return nil, err
	}
	family, err := b.distro(s)
	if err != nil {
		return nil, err
	}
	// No request is sent yet, but a wrong URL is found before the packages are resolved.
	if _, err := b.shared(s.Project, reporter{sink}); err != nil {
		return nil, err
	}
	p := &Prepared{Subject: s, Output: b.Output(s), distro: family, again: b.options.Again}
	if p.secrets, err = b.secretsOf(ctx, s); err != nil {
		return nil, err
	}
	if p.Cache, err = cache.Open(b.options.Cache); err != nil {
		return nil, err
	}
	if err := p.planning(ctx, sink, func() error { return b.plan(ctx, p, reporter{sink}) }); err != nil {
		p.Close()
		return nil, err
	}
	b.noteSteps(ctx, p)
	return p, nil
}

// plan does the work of Prepare.
func (b *Builder) plan(ctx context.Context, p *Prepared, r reporter) error {
	s := p.Subject
	var bootstrapper string
	err := event.Timed(ctx, "check this machine", func() (err error) {
		bootstrapper, err = b.backend.Host(ctx, p.distro, r.Sink)
		return err
	})
	if err != nil {
		return err
	}
	if p.signing, err = b.signing(ctx, s, r); err != nil {
		return err
	}
	archives, err := b.archives(ctx, p.distro, r, download.Patient)
	if err != nil {
		return err
	}
	if text := archives.access.String(); text != "" {
		r.note("using these settings of this machine's apt: %s", text)
	}
	if err := b.ask(ctx, p, archives, r); err != nil {
		return err
	}
	for _, line := range vainAnswers(s, p.Packages) {
		r.warn(line)
	}
	if diags := accountsMoved(s.Project.Accounts, p.History.Accounts); diags.HasErrors() {
		return &diag.Faults{Files: s.Project.Files, List: diags}
	}
	return event.Timed(ctx, "plan", func() error { return b.planSteps(p, bootstrapper, archives, r) })
}

// planSteps makes the graph, of all that has been found out.
func (b *Builder) planSteps(p *Prepared, bootstrapper string, archives *archives, r reporter) error {
	s := p.Subject
	trees, err := b.trees(s.Project)
	if err != nil {
		return err
	}
	versions, err := versionsOf(p.secrets, p.Cache)
	if err != nil {
		return err
	}
	p.Graph, err = stage.Plan(planner.Request{
		Spec: s.Spec, Keys: p.signing.keys, Packages: p.Packages, History: p.History, Made: p.made, Accounts: s.Project.Ledger(),
		Project: b.options.Tree, Trees: trees, Method: s.Method, Apt: archives.access.Conf(), Bootstrapper: bootstrapper, Secrets: versions, Sources: b.sources(r, trees), Distro: p.distro, Fetch: pinned(b.fetchHints(s.Spec.Sources, archives), s, p.Lock), Program: thisProgram,
	})
	return withFiles(err, s)
}

// thisProgram is the file of this program, also if another one has its name meanwhile.
const thisProgram = "/proc/self/exe"

// withFiles gives faults that planning has found the files whose lines are shown.
func withFiles(err error, s *Subject) error {
	var faults *diag.Faults
	if errors.As(err, &faults) && faults.Files == nil {
		faults.Files = s.Project.Files
	}
	return err
}

// ask asks for packages and history, two questions that know nothing of each
// other.
func (b *Builder) ask(ctx context.Context, p *Prepared, archives *archives, r reporter) error {
	asking, stop := context.WithCancel(ctx)
	defer stop()
	found := make(chan error, 1)
	go func() {
		found <- event.Timed(asking, "find the history", func() error {
			return p.findHistory(asking, filepath.Join(b.options.Cache, "history"), archives.client, b.options.Rewind, b.options.Sign.UnsignedHistory, r)
		})
	}()
	err := r.phase("resolve packages", func() error {
		locked, err := b.lockOf(p.Subject, r)
		if err != nil {
			return err
		}
		return b.resolve(ctx, p, newLists(p.Subject, locked), archives, r)
	})
	if err != nil {
		stop()
		<-found
		return err
	}
	return <-found
}

// sources are where snapshots of files are: those of the tree, and of the trees that
// it uses.
func (b *Builder) sources(r reporter, trees map[string]string) source.Snapshots {
	return source.Snapshots{
		Root: b.snapshots(), Tree: b.options.Tree, Trees: slices.Collect(maps.Values(trees)), Lenient: b.rules.LenientLinks(),
		Damaged: func(path string) {
			r.warn("a snapshot of source files in the cache is damaged and is made again: " + path)
		},
	}
}

// snapshots is the directory of snapshots.
func (b *Builder) snapshots() string {
	if b.scratch != "" {
		return b.scratch
	}
	return filepath.Join(b.options.Cache, "sources")
}

func (b *Builder) fetchHints(sources []config.Source, a *archives) distro.FetchHints {
	return distro.FetchHints{Mirrors: mirrors(sources), Places: places(sources), CAs: b.authorities(sources), Cache: filepath.Join(b.options.Cache, "packages"), Proxies: a.access.Proxies(), Secrets: a.access.Secrets()}
}

// hideDirectories makes directories for what is built and, where they are in the
// tree, lets git ignore what is in them: a tree's get_commit may ask git whether
// anything is not committed, and name what is built by the answer.
func (b *Builder) hideDirectories(dirs ...string) error {
	for _, dir := range dirs {
		rel, err := filepath.Rel(b.options.Tree, dir)
		ignore := filepath.Join(dir, ".gitignore")
		if err != nil || rel == "." || !filepath.IsLocal(rel) || exists(ignore) {
			continue
		}
		what, choose := "the output", "--output"
		if dir == b.options.Cache {
			what, choose = "the cache", "--cache or TREEWRIGHT_CACHE"
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return diag.Directory(what, dir, choose, err)
		}
		if err := os.WriteFile(ignore, []byte("*\n"), 0o644); err != nil {
			return diag.Directory(what, dir, choose, err)
		}
	}
	return nil
}
