package debian

import (
	"fmt"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/distro"
)

// Holding returns the archive for updating a lock: packages that are held can be chosen even if
// the sources do not have them any more, and are chosen in that version unless another one is
// asked for.
func (a *Archive) Holding(held []distro.Archived) distro.Archive {
	a.mu.Lock()
	defer a.mu.Unlock()
	return &Archive{
		Source: a.Source, Arch: a.Arch, MoreArchs: a.MoreArchs, Policy: a.Policy, parts: a.parts, root: a.root, results: a.results, client: a.client,
		stall: a.stall, offline: a.offline, armoured: a.armoured, release: a.release, date: a.date, dir: a.dir, index: a.index, files: a.files, held: held,
	}
}

// holds reports whether a package of that name is held, for an architecture if the name has
// one.
func (a *Archive) holds(name string) bool {
	return slices.ContainsFunc(a.held, func(p distro.Archived) bool { return p.Name == name || p.Name+":"+p.Arch == name })
}

// heldPins gives held packages a priority above all others, downgrades included
// (apt_preferences(5)).
func (a *Archive) heldPins() string {
	var b strings.Builder
	for _, p := range a.held {
		name := p.Name
		if p.Arch != "all" {
			name += ":" + p.Arch
		}
		fmt.Fprintf(&b, "Package: %s\nPin: version %s\nPin-Priority: 1001\n\n", name, p.Version)
	}
	return b.String()
}

// asHeld returns held packages in place of those that are the same file.
func (a *Archive) asHeld(all []distro.Archived) []distro.Archived {
	for i, p := range all {
		for _, h := range a.held {
			if h.Package == p.Package && h.SHA256 == p.SHA256 {
				all[i] = h
			}
		}
	}
	return all
}

// heldFrom is the held package that a want with a suite asks for, nil for none.
func (a *Archive) heldFrom(w distro.Want) *distro.Archived {
	if w.Suite == "" {
		return nil
	}
	i := slices.IndexFunc(a.held, func(p distro.Archived) bool {
		return (p.Name == w.Name || p.Name+":"+p.Arch == w.Name) && (p.Suite == w.Suite || p.Source == w.Suite)
	})
	if i < 0 {
		return nil
	}
	return &a.held[i]
}
