package lock

import (
	"fmt"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/distro"
)

// Asks returns wanted packages in the form that a lock has, sorted, each once. Two lists of
// wants with the same result are the same question.
func Asks(wants []distro.Want) []string {
	notes := []string{}
	for _, w := range wants {
		note := w.String()
		switch {
		case w.Local != nil:
			note = fmt.Sprintf("%s=%s sha256:%s", w.Name, w.Version, w.Local.SHA256)
		case w.Forbidden:
			note = "!" + w.Name
		}
		if w.Recommends {
			note += " +recommends"
		}
		notes = append(notes, note)
	}
	slices.Sort(notes)
	return slices.Compact(notes)
}

// Question is what a plan asks the sources for one list.
type Question struct {
	List, Archive, On string
	Wants             []distro.Want
}

// Stale is a list by which a lock and a flavour differ.
type Stale struct {
	List string
	// Missing is set if the lock does not have the list, and Unasked if the flavour does not
	// ask for it.
	Missing, Unasked bool
	// Added is what the flavour asks for and the lock does not have; Removed is the opposite.
	Added, Removed []string
	// Below is set if the list is installed on another list, or comes from another archive.
	Below bool
}

// String describes the difference, as "rootfs: jq is asked for, and not locked".
func (s Stale) String() string {
	var parts []string
	switch {
	case s.Missing:
		parts = append(parts, "the lock does not have this list")
	case s.Unasked:
		parts = append(parts, "the flavour does not ask for this list any more")
	}
	if len(s.Added) > 0 && !s.Missing {
		parts = append(parts, "asked for, but not locked: "+strings.Join(s.Added, ", "))
	}
	if len(s.Removed) > 0 && !s.Unasked {
		parts = append(parts, "locked, but not asked for any more: "+strings.Join(s.Removed, ", "))
	}
	if s.Below {
		parts = append(parts, "it is installed on another list, or comes from another archive")
	}
	return s.List + ": " + strings.Join(parts, "; ")
}

// Answer returns the packages of a list, or how the question differs from the one that the
// lock has the answer to.
func (f *File) Answer(q Question) (*distro.Closure, *Stale) {
	l := f.List(q.List)
	asked := Asks(q.Wants)
	if l == nil {
		return nil, &Stale{List: q.List, Missing: true, Added: asked}
	}
	s := Stale{List: q.List, Added: without(asked, l.Wants), Removed: without(l.Wants, asked), Below: l.On != q.On || l.Archive != q.Archive}
	if s.Below || len(s.Added)+len(s.Removed) > 0 {
		return nil, &s
	}
	return f.closure[q.List], nil
}

// Unasked returns the lists that are not among those asked for.
func (f *File) Unasked(asked []string) []Stale {
	var out []Stale
	for _, l := range f.Lists {
		if !slices.Contains(asked, l.Name) {
			out = append(out, Stale{List: l.Name, Unasked: true})
		}
	}
	return out
}

// SourcesDiffer returns how the sources of an archive, as [Source] has it, differ from others,
// nil if they do not. Their URLs and release files do not count.
func (f *File) SourcesDiffer(archive string, want []Source) *Stale {
	var have, ask []string
	for _, s := range f.Sources {
		if s.Archive == archive {
			have = append(have, s.choice())
		}
	}
	for _, s := range want {
		ask = append(ask, s.choice())
	}
	s := Stale{List: "sources", Added: without(ask, have), Removed: without(have, ask)}
	if len(s.Added)+len(s.Removed) == 0 {
		return nil
	}
	return &s
}

// choice is a source with what decides which packages are chosen from it.
func (s Source) choice() string {
	text := s.Name + " " + s.Suite + " " + strings.Join(s.Components, " ")
	if len(s.Packages) > 0 {
		text += " only " + strings.Join(s.Packages, " ")
	}
	if s.Priority != 0 {
		text += fmt.Sprintf(" priority %d", s.Priority)
	}
	return strings.TrimSpace(text)
}

// without returns the elements of list that are not in other.
func without(list, other []string) []string {
	var out []string
	for _, s := range list {
		if !slices.Contains(other, s) {
			out = append(out, s)
		}
	}
	return out
}
