package build

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/lock"
)

// lists are all that a plan asks for packages. With a lock, it alone answers; without, the
// sources do, and all questions and answers are noted for a lock.
type lists struct {
	locked *lock.File
	writer *lock.Writer
	// held are the packages of a lock that is brought up to date, and free the names of
	// those that may change all the same.
	held *lock.File
	free map[string]bool

	mu       sync.Mutex
	asked    []string
	stale    []lock.Stale
	mentions map[string][]compose.Want
	releases map[string]string // the first release file, by archive
	others   map[string]bool   // the archives whose sources are not those of held
}

// featureSource begins the source of a package that a feature brings.
const featureSource = "feature "

// newLists returns the lists of a subject.
func newLists(s *Subject, locked *lock.File) *lists {
	d := s.Spec.Flavour.Distribution
	return &lists{
		locked: locked, writer: lock.NewWriter(s.Flavour(), d.Family, d.Arch), free: map[string]bool{},
		mentions: map[string][]compose.Want{}, releases: map[string]string{}, others: map[string]bool{},
	}
}

// ask answers a question. It returns nil without an error if the lock does not have the
// answer, which [lists.fault] reports.
func (l *lists) ask(ctx context.Context, archive distro.Archive, q lock.Question, on *distro.Closure) (*distro.Closure, error) {
	return l.answer(q, func() (*distro.Closure, error) { return l.resolve(ctx, archive, q, on) })
}

// answer is ask, with another way to resolve a question that no lock answers.
func (l *lists) answer(q lock.Question, resolve func() (*distro.Closure, error)) (*distro.Closure, error) {
	l.mu.Lock()
	again := slices.Contains(l.asked, q.List)
	l.asked = append(l.asked, q.List)
	l.mu.Unlock()
	if l.locked != nil {
		c, stale := l.locked.Answer(q)
		if stale != nil && !again {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.stale = append(l.stale, *stale)
		}
		return c, nil
	}
	c, err := resolve()
	if err == nil && !again {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.writer.Answer(q, c)
	}
	return c, err
}

// resolve asks the sources. Of held packages those may move that apt names when it finds no
// solution with them.
func (l *lists) resolve(ctx context.Context, archive distro.Archive, q lock.Question, on *distro.Closure) (*distro.Closure, error) {
	for {
		held := l.holding(q.Archive)
		if held != nil {
			archive = archive.Holding(held)
		}
		c, err := archive.Resolve(ctx, on, q.Wants)
		var unsolvable *distro.UnsolvableError
		if err == nil || held == nil || !errors.As(err, &unsolvable) || !l.let(held, unsolvable.Reason) {
			return c, err
		}
	}
}

// holding are the packages that are held for questions to an archive; nil for none. If its
// sources have changed, that is to choose others. Packages that features bring are asked for
// themselves.
func (l *lists) holding(archive string) []distro.Archived {
	if l.held == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.others[archive] {
		return nil
	}
	var held []distro.Archived
	for _, p := range l.held.PackagesOf(archive) {
		if !l.free[p.Name] && !strings.HasPrefix(p.Source, featureSource) {
			held = append(held, p)
		}
	}
	return held
}

// let lets the held packages move that a reason names, and reports whether there are
// any.
func (l *lists) let(held []distro.Archived, reason string) bool {
	words := strings.FieldsFunc(reason, func(r rune) bool { return strings.ContainsRune(" \t\n,()[]|:'\"", r) })
	l.mu.Lock()
	defer l.mu.Unlock()
	found := false
	for _, p := range held {
		if slices.Contains(words, p.Name) && !l.free[p.Name] {
			l.free[p.Name] = true
			found = true
		}
	}
	return found
}

// sources notes the release files of an archive.
func (l *lists) sources(archive string, releases []distro.Release) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []lock.Source
	for i, r := range releases {
		if i == 0 {
			l.releases[archive] = r.SHA256
		}
		all = append(all, lockSource(archive, r.Source, r))
		l.writer.Source(all[i])
	}
	if l.held != nil && l.held.SourcesDiffer(archive, all) != nil {
		l.others[archive] = true
	}
}

// lockSource is a source as a lock notes it.
func lockSource(archive string, s distro.Source, r distro.Release) lock.Source {
	return lock.Source{
		Archive: archive, Name: s.Name, URL: event.Mask(s.URL), Suite: s.Suite, Components: s.Components, Packages: s.Packages, Priority: s.Priority,
		Date: r.Date, Release: r.SHA256,
	}
}

// release is the SHA-256 of the first release file of an archive.
func (l *lists) release(archive string) string {
	if l.locked != nil {
		for _, s := range l.locked.Sources {
			if s.Archive == archive {
				return s.Release
			}
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.releases[archive]
}

// lacks reports whether the lock has no answer for a list.
func (l *lists) lacks(list string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(l.stale, func(s lock.Stale) bool { return s.List == list })
}

// mention notes the lines that ask for the packages of a list.
func (l *lists) mention(list string, wants []compose.Want) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mentions[list] = wants
}

// compare finds out in which sources the lock and a flavour differ. Where their content is
// served does not matter, because packages are pinned by their hashes.
func (l *lists) compare(own []distro.Source, s *Subject) {
	d := s.Spec.Flavour.Distribution
	if l.locked.Family != d.Family || l.locked.Arch != d.Arch {
		l.stale = append(l.stale, lock.Stale{List: "distribution", Added: []string{d.Family + " " + d.Arch}, Removed: []string{l.locked.Family + " " + l.locked.Arch}})
	}
	var want []lock.Source
	for _, o := range own {
		want = append(want, lockSource("", o, distro.Release{}))
	}
	if stale := l.locked.SourcesDiffer("", want); stale != nil {
		l.stale = append(l.stale, *stale)
	}
}

// summaryMisfit is the summary of the faults of a stale lock.
const summaryMisfit = "Lock file that does not fit the flavour"

// fault is what the lock and the flavour differ in, nil if nothing.
func (l *lists) fault(s *Subject) error {
	if l.locked == nil {
		return nil
	}
	stale := slices.Clone(l.stale)
	if !l.lacks(lock.Bootstrap) && !l.lacks(lock.Rootfs) {
		stale = append(stale, l.locked.Unasked(l.asked)...)
	}
	if len(stale) == 0 {
		return nil
	}
	slices.SortStableFunc(stale, func(a, b lock.Stale) int { return strings.Compare(a.List, b.List) })
	faults := &diag.Faults{Files: l.locked.Files()}
	for _, one := range stale {
		detail := one.String() + l.where(one) + "."
		faults.List = append(faults.List, &hcl.Diagnostic{
			Severity: hcl.DiagError, Summary: summaryMisfit, Detail: detail, Subject: l.locked.ListRange(one.List).Ptr(),
		})
	}
	last := faults.List[len(faults.List)-1]
	last.Detail += fmt.Sprintf("\nA build takes no package that is not locked. `./build lock %s` brings the lock up to date, and moves no other packages.", s.Flavour())
	return faults
}

// where are the lines that ask for what a lock does not have.
func (l *lists) where(one lock.Stale) string {
	var places []string
	for _, w := range l.mentions[one.List] {
		if notes := lock.Asks([]distro.Want{w.Want}); slices.Contains(one.Added, notes[0]) && !slices.Contains(places, config.PlaceOf(w.Range)) {
			places = append(places, config.PlaceOf(w.Range))
		}
	}
	if len(places) == 0 {
		return ""
	}
	const most = 5
	if more := len(places) - most; more > 0 {
		places = append(places[:most], fmt.Sprintf("%d more", more))
	}
	return " (" + strings.Join(places, ", ") + ")"
}
