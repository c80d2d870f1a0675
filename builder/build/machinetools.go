package build

import (
	"context"
	"errors"
	"fmt"

	"github.com/treewright/treewright/builder/cache"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/download"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/source"
	"github.com/treewright/treewright/builder/stage"
	"github.com/treewright/treewright/builder/stage/planner"
)

// MachineTools makes the tree with QEMU, as far as it is missing, and returns its
// layers. It is of the subject's own suite, or else, if d is not nil, of another
// distribution. What is in the cache is held as long as this process lives, and
// with it the machine.
func (b *Builder) MachineTools(ctx context.Context, s *Subject, d *config.Distribution, sink event.Sink) ([]string, error) {
	if d != nil {
		s = withDistribution(s, *d)
	}
	return b.treeOfTools(ctx, s, treeOfTools{distro.ForMachines, "vm", "QEMU"}, sink)
}

// ClockLibrary makes, as far as it is missing, a tree with the library for [sandbox.MoveClock] of
// the subject's own suite, whose programs can load it, and returns the library's path. The
// tree is held in the cache like that of [Builder.MachineTools].
func (b *Builder) ClockLibrary(ctx context.Context, s *Subject, sink event.Sink) (string, error) {
	if arch := s.Spec.Flavour.Distribution.Arch; arch != b.backend.Arch {
		return "", fmt.Errorf("programs of %s do not load a library of this machine", arch)
	}
	layers, err := b.treeOfTools(ctx, s, treeOfTools{distro.ForClock, "clock", "libfaketime"}, sink)
	if err != nil {
		return "", err
	}
	for _, dir := range layers {
		if found, err := layer.Glob(dir, "usr/lib/*/faketime/libfaketimeMT.so.1"); err == nil && len(found) > 0 {
			return found[0], nil
		}
	}
	return "", errors.New("the package libfaketime does not contain libfaketimeMT.so.1")
}

// treeOfTools is a tree with programs for a purpose. Name goes into its steps' IDs, and what
// is the title of what is looked for.
type treeOfTools struct {
	purpose    distro.Purpose
	name, what string
}

func (b *Builder) treeOfTools(ctx context.Context, s *Subject, t treeOfTools, sink event.Sink) ([]string, error) {
	sink = heard(sink)
	arch := s.Spec.Flavour.Distribution.Arch
	family, err := b.distro(s)
	if err != nil {
		return nil, err
	}
	wants := family.Tools(t.purpose, arch)
	if wants == nil {
		return nil, diag.Requestf("%q is for %s, of which no virtual machines are known", s.Flavour(), arch)
	}
	// They run on this machine, whatever the architecture of guests; further sources
	// are for the guests.
	own := s.Spec.Flavour.Distribution
	s = withDistribution(s, otherSuite(own, own.Suite, b.backend.Arch))
	p := &Prepared{Subject: s, Output: b.Output(s), distro: family}
	if p.Cache, err = cache.Open(b.options.Cache); err != nil {
		return nil, err
	}
	id := ""
	err = p.planning(ctx, sink, func() (err error) {
		id, err = b.planTools(ctx, p, t, wants, reporter{sink})
		return err
	})
	if err != nil {
		return nil, err
	}
	stack := p.Graph.Stack(id)
	if _, err := b.Run(ctx, p, withoutCached{sink}, stack); err != nil {
		return nil, err
	}
	dirs := make([]string, len(stack))
	for i, l := range stack {
		dirs[i] = p.Cache.Store.Data(p.Graph.Key(l))
	}
	return dirs, nil
}

// withDistribution is a subject as if its flavour were of another distribution.
func withDistribution(s *Subject, d config.Distribution) *Subject {
	flavour, spec, other := *s.Spec.Flavour, *s.Spec, *s
	flavour.Distribution, spec.Flavour, other.Spec = d, &flavour, &spec
	spec.Sources = d.All()
	return &other
}

// planTools plans the steps of a tree of tools and returns the last one's ID.
func (b *Builder) planTools(ctx context.Context, p *Prepared, t treeOfTools, wants []distro.Want, r reporter) (id string, err error) {
	d := p.Subject.Spec.Flavour.Distribution
	bootstrapper, err := b.backend.Host(ctx, p.distro, r.Sink)
	if err != nil {
		return "", err
	}
	archives, err := b.archives(ctx, p.distro, r, download.Patient)
	if err != nil {
		return "", err
	}
	var base, closure *distro.Closure
	err = r.phase("resolve the packages of "+t.what, func() error {
		archive, err := archives.open(ctx, d, p.Subject.Spec.Sources)
		if err != nil {
			return placed(err, p.Subject.Spec.Sources, p.Subject.Project.Files)
		}
		if base, err = archive.Resolve(ctx, nil, nil); err != nil {
			return err
		}
		closure, err = archive.Resolve(ctx, base, wants)
		return err
	})
	if err != nil {
		return "", err
	}
	p.Graph, id, err = stage.PlanTools(planner.Request{
		Spec: p.Subject.Spec, Distro: p.distro, Bootstrapper: bootstrapper, Sources: source.Snapshots{Root: b.snapshots()}, Fetch: b.fetchHints(p.Subject.Spec.Sources, archives),
	}, t.name, base, closure, wants)
	return id, err
}

// withoutCached leaves out the steps that are in the cache: the build before has shown
// them.
type withoutCached struct{ event.Sink }

func (s withoutCached) Emit(e event.Event) {
	if e.Kind == event.BuildStarted {
		e.Cached = 0
	}
	if e.Kind != event.StepCached {
		s.Sink.Emit(e)
	}
}
