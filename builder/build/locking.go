package build

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/cache"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/download"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/lock"
	"github.com/treewright/treewright/builder/treefs"
)

// mostLock is how large a lock file may be, in bytes.
const mostLock = 64 << 20

// ReadLock returns the lock of a subject, nil if it has none.
func (b *Builder) ReadLock(s *Subject) (*lock.File, error) {
	if s.LockFile == "" {
		return nil, nil
	}
	return b.readLock(s.LockFile, s.Flavour())
}

func (b *Builder) readLock(file, flavour string) (*lock.File, error) {
	text, err := treefs.ReadFile(filepath.Join(b.options.Tree, filepath.FromSlash(file)), mostLock)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("read the lock file %s: %w", file, err)
	}
	return lock.Parse(file, flavour, text)
}

// lockOf is ReadLock for a build, which needs a lock if the options ask for one.
func (b *Builder) lockOf(s *Subject, r reporter) (*lock.File, error) {
	locked, err := b.ReadLock(s)
	if err != nil {
		return nil, err
	}
	if locked == nil && b.options.Locked {
		if s.LockFile == "" {
			return nil, unlockable(s)
		}
		return nil, &diag.Faults{Files: s.Project.Files, List: hcl.Diagnostics{config.Fault(s.Spec.Flavour.Range, "Flavour without a lock",
			"Only a locked build is allowed (--locked), and %s does not exist. `./build lock %s` makes it.", s.LockFile, s.Flavour())}}
	}
	if locked != nil {
		r.note("using the lock %s: %s", s.LockFile, LockAge(locked, time.Now()))
	}
	return locked, nil
}

// unlockable is the fault of a name that no lock can be made of.
func unlockable(s *Subject) error {
	return diag.Requestf("%q is not a flavour, and only flavours have a lock: a lock is beside the file of the flavour", s.Name)
}

// LockAge describes how old the sources of a lock are.
func LockAge(f *lock.File, now time.Time) string {
	at := f.Date()
	if at.IsZero() {
		return "its sources have no date"
	}
	days := int(now.Sub(at).Hours() / 24)
	age := "less than a day old"
	if days > 0 {
		age = diag.Counted(days, "day") + " old"
	}
	return "sources of " + at.UTC().Format("2 January 2006") + ", " + age
}

// resolve finds the exact packages of a subject, by its lock if it has one. Questions and
// answers are noted in l.
func (b *Builder) resolve(ctx context.Context, p *Prepared, l *lists, archives *archives, r reporter) error {
	s := p.Subject
	own, err := archives.sources(s.Spec.Flavour.Distribution, s.Spec.Sources)
	if err != nil {
		return err
	}
	var archive distro.Archive
	if l.locked != nil {
		l.compare(own, s)
		p.Releases = releasesOf(l.locked, own)
	} else {
		if archive, err = archives.open(ctx, s.Spec.Flavour.Distribution, s.Spec.Sources); err != nil {
			return placed(err, s.Spec.Sources, s.Project.Files)
		}
		p.archive, p.Releases = archive, archive.Releases()
		l.sources("", p.Releases)
	}
	p.Lock = l.locked
	p.Packages, err = resolvePackages(ctx, p.distro, archives, archive, l, s, r)
	return err
}

// releasesOf are the release files that a lock has of some sources.
func releasesOf(f *lock.File, own []distro.Source) []distro.Release {
	var out []distro.Release
	for _, o := range own {
		for _, s := range f.Sources {
			if s.Archive == "" && s.Name == o.Name && s.Suite == o.Suite {
				out = append(out, distro.Release{Source: o, SHA256: s.Release, Date: s.Date})
			}
		}
	}
	return out
}

// LockRequest describes what may change in a lock.
type LockRequest struct {
	// With Update, packages take the versions that the sources have now: those of Names, or
	// all if it is empty. Otherwise only what the flavour asks for and the lock lacks is
	// resolved.
	Update bool
	Names  []string
}

// NewLock is a lock that is not written yet.
type NewLock struct {
	// Path is where it goes, in the configuration tree.
	Path string
	// Before is nil if the flavour has no lock yet.
	Before, After *lock.File
	Changes       []lock.Change
	// Needed are the packages that changed without being named.
	Needed []string

	text []byte
	file string
}

// Current reports whether the file already has this lock.
func (n *NewLock) Current() bool {
	return n.Before != nil && string(n.Before.Format()) == string(n.text)
}

// Write puts the lock into its file, in one go. The file belongs to the owner of its
// directory, because builds run as root.
func (n *NewLock) Write() error {
	if err := layer.WriteFile(n.file, n.text, 0o644); err != nil {
		return fmt.Errorf("write the lock file: %w", err)
	}
	if info, err := os.Stat(filepath.Dir(n.file)); err == nil {
		if owner, ok := info.Sys().(*syscall.Stat_t); ok {
			_ = os.Lchown(n.file, int(owner.Uid), int(owner.Gid))
		}
	}
	return nil
}

// MakeLock finds the packages of a subject and makes a lock of them. It writes nothing.
func (b *Builder) MakeLock(ctx context.Context, s *Subject, q LockRequest, sink event.Sink) (*NewLock, error) {
	if s.LockFile == "" {
		return nil, unlockable(s)
	}
	before, err := b.ReadLock(s)
	if err != nil {
		return nil, err
	}
	n := &NewLock{Path: s.LockFile, Before: before, file: filepath.Join(b.options.Tree, filepath.FromSlash(s.LockFile))}
	if err := lockedNames(before, q.Names, s); err != nil {
		return nil, err
	}
	r := reporter{heard(sink)}
	if before != nil && !q.Update {
		if err := b.resolveAlone(ctx, s, newLists(s, before), r); err == nil {
			n.After, n.text = before, before.Format()
			return n, nil
		} else if !misfit(err) {
			return nil, err
		}
	}
	free := map[string]bool{}
	for _, name := range q.Names {
		free[name] = true
	}
	for {
		l := newLists(s, nil)
		l.free = maps.Clone(free)
		if !q.Update || len(q.Names) > 0 {
			l.held = before
		}
		if err := b.resolveAlone(ctx, s, l, r); err != nil {
			return nil, err
		}
		if len(l.free) > len(free) {
			// What changes in one list may change in the others as well.
			free = l.free
			continue
		}
		if n.After, err = l.writer.File(); err != nil {
			return nil, err
		}
		break
	}
	n.After.Keep(before)
	n.text, n.Changes = n.After.Format(), lock.Changes(before, n.After)
	if _, err := lock.Parse(s.LockFile, s.Flavour(), n.text); err != nil {
		return nil, fmt.Errorf("the lock that was made cannot be read: %w", err)
	}
	for _, c := range n.Changes {
		if before != nil && len(q.Names) > 0 && c.Before != nil && !slices.Contains(q.Names, c.Name) {
			n.Needed = append(n.Needed, c.Name)
		}
	}
	return n, nil
}

// lockedNames checks that a lock has packages of some names.
func lockedNames(before *lock.File, names []string, s *Subject) error {
	if len(names) > 0 && before == nil {
		return diag.Suggest(diag.Requestf("%q has no lock yet, in which single packages could be updated", s.Name), "lock "+s.Name, "makes one")
	}
	for _, name := range names {
		var all []string
		for _, p := range before.Packages {
			all = append(all, p.Name)
		}
		if slices.Contains(all, name) {
			continue
		}
		hint := ""
		if near := config.Suggest(name, all); near != "" {
			hint = fmt.Sprintf("; did you mean %q?", near)
		}
		return diag.Requestf("the lock of %q has no package %q%s", s.Name, name, hint)
	}
	return nil
}

// misfit reports whether an error means that a lock does not fit its flavour.
func misfit(err error) bool {
	var faults *diag.Faults
	return errors.As(err, &faults) && slices.ContainsFunc(faults.List, func(d *hcl.Diagnostic) bool { return d.Summary == summaryMisfit })
}

// resolveAlone resolves a subject's packages without planning. The answers are in l.
func (b *Builder) resolveAlone(ctx context.Context, s *Subject, l *lists, r reporter) error {
	family, err := b.distro(s)
	if err != nil {
		return err
	}
	archives, err := b.archives(ctx, family, r, download.Patient)
	if err != nil {
		return err
	}
	if text := archives.access.String(); text != "" && l.locked == nil {
		r.note("using these settings of this machine's apt: %s", text)
	}
	if l.locked == nil {
		done, err := cache.Planning(ctx, b.options.Cache, r.freeing)
		if err != nil {
			return err
		}
		defer done()
	}
	p := &Prepared{Subject: s, distro: family}
	return r.phase("resolve packages", func() error { return b.resolve(ctx, p, l, archives, r) })
}

// pinned adds to hints where packages are kept, and the lines of a lock, which may be nil.
func pinned(h distro.FetchHints, s *Subject, locked *lock.File) distro.FetchHints {
	for _, template := range s.Project.Snapshots {
		h.Snapshots = append(h.Snapshots, distro.SnapshotTemplate{URL: template.Text, Place: config.PlaceOf(template.Range)})
	}
	if locked == nil {
		return h
	}
	h.Pins, h.Dates = locked.Places(), map[string]time.Time{}
	for _, p := range locked.Packages {
		h.Dates[p.SHA256] = locked.DateOf(p)
	}
	return h
}
