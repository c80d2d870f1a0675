package build

import (
	"context"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/lock"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/rules"
	"github.com/treewright/treewright/builder/sign"
	"github.com/treewright/treewright/builder/source"
	"github.com/treewright/treewright/builder/stage"
	"github.com/treewright/treewright/builder/stage/planner"
)

// Outline is the plan of a flavour as far as the tree alone has it: the same on each machine,
// and without a network. Packages are those of the lock; without a lock, the names that are asked for take their
// place. History, secrets and this machine are left out. So the
// keys are not those of a build, but two outlines have the same key for a step if two builds
// with the same package archive, history and secrets have.
type Outline struct {
	// Name is the flavour's, and Arch its architecture.
	Name, Arch string
	Graph      *plan.Graph
	// Locked reports whether the packages are those of a lock.
	Locked bool
}

// outliner makes the outlines of flavours of one tree.
type outliner struct {
	b       *Builder
	project *config.Project
	trees   map[string]string
	sources source.Snapshots
	steps   plan.Shared
	close   func()
}

// notKnown replaces values that an outline does not have.
const notKnown = "not known"

// outliner prepares outlines. The caller calls close.
func (b *Builder) outliner(p *config.Project) (*outliner, error) {
	if b.OfOtherKind() {
		return nil, diag.Requestf("only flavours are planned together, and %s does not have any", b.options.Tree)
	}
	scratch, err := os.MkdirTemp("", "treewright-outline-*")
	if err != nil {
		return nil, fmt.Errorf("make a directory for outlines: %w", err)
	}
	o := &outliner{project: p, close: func() { _ = os.RemoveAll(scratch) }}
	// The program's own features are unpacked there, and not into the cache, because an outline is not a build.
	if o.b, err = Open(b.options); err == nil {
		o.b.scratch = scratch
		if r, ok := o.b.rules.(rules.Flavours); ok {
			r.Brief = true
			o.b.rules = r
		}
		o.trees, err = o.b.trees(p)
	}
	if err != nil {
		o.close()
		return nil, err
	}
	o.sources = source.Snapshots{Tree: b.options.Tree, Trees: slices.Collect(maps.Values(o.trees)), Lenient: o.b.rules.LenientLinks(), Known: &source.Known{}}
	return o, nil
}

// Outlines plans flavours, as far as the tree alone has their plans. Those that cannot be
// planned are nil, and their errors are returned by name.
func (b *Builder) Outlines(ctx context.Context, p *config.Project, names []string) ([]*Outline, map[string]error, error) {
	o, err := b.outliner(p)
	if err != nil {
		return nil, nil, err
	}
	defer o.close()
	all, faults := o.all(ctx, names)
	return all, faults, ctx.Err()
}

// all plans flavours, several at the same time.
func (o *outliner) all(ctx context.Context, names []string) ([]*Outline, map[string]error) {
	out, errs := make([]*Outline, len(names)), make([]error, len(names))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := next.Add(1) - 1; int(i) < len(names) && ctx.Err() == nil; i = next.Add(1) - 1 {
				out[i], errs[i] = o.outline(ctx, names[i])
			}
		})
	}
	wg.Wait()
	faults := map[string]error{}
	for i, err := range errs {
		if err != nil {
			faults[names[i]], out[i] = err, nil
		}
	}
	return out, faults
}

// outline plans a flavour.
func (o *outliner) outline(ctx context.Context, name string) (*Outline, error) {
	s, err := o.b.Resolve(ctx, o.project, name)
	if err != nil {
		return nil, err
	}
	family, err := o.b.distro(s)
	if err != nil {
		return nil, err
	}
	locked, err := o.b.ReadLock(s)
	if err != nil {
		return nil, err
	}
	p := &Prepared{Subject: s, distro: family}
	a := &archives{b: o.b, distro: family, access: distro.Asked{}, arch: toolsArch(s, locked)}
	if err := o.b.resolve(ctx, p, newLists(s, locked), a, reporter{event.Discard}); err != nil {
		return nil, err
	}
	secrets := map[string]string{}
	for _, asked := range s.Spec.Secrets() {
		secrets[asked.Name] = notKnown
	}
	g, err := stage.Plan(planner.Request{
		Spec: s.Spec, Keys: keysOf(s), Packages: p.Packages, Accounts: s.Project.Ledger(),
		Project: o.b.options.Tree, Trees: o.trees, Method: s.Method, Bootstrapper: notKnown, Secrets: secrets, Distro: family,
		Sources: o.sources, Program: thisProgram,
	})
	if err != nil {
		return nil, withFiles(err, s)
	}
	return &Outline{Name: s.Name, Arch: s.Spec.Flavour.Distribution.Arch, Graph: g.Share(&o.steps), Locked: locked != nil}, nil
}

// toolsArch is the architecture of the tools: that of the system, unless the lock was made on a
// machine of another one.
func toolsArch(s *Subject, locked *lock.File) string {
	own := s.Spec.Flavour.Distribution.Arch
	if locked == nil {
		return own
	}
	for _, src := range locked.Sources {
		if _, arch, ok := strings.Cut(src.Archive, " "); ok && arch != own {
			return arch
		}
	}
	return own
}

// keysOf takes the files with public keys as they are, without gpg. If a signer does not have
// such files, it takes the signer's name.
func keysOf(s *Subject) *sign.Keyring {
	written := s.Spec.Flavour.Sign
	if written == nil {
		return nil
	}
	ring := &sign.Keyring{Binary: []byte(strings.Join(append([]string{written.Key}, written.Command...), " "))}
	if len(written.PublicKeys) > 0 {
		ring.Binary = nil
	} else if len(ring.Binary) == 0 {
		return nil
	}
	for _, k := range written.PublicKeys {
		ring.Binary = append(ring.Binary, k.Content...)
	}
	return ring
}
