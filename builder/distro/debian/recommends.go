package debian

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/distro"
)

// Recommended packages are those that apt itself installs with --install-recommends
// in a system that has everything else. It sees that system as a status file of
// dpkg, and it may not remove anything from it. A wanted package that the system
// has already, because others need it, would bring nothing then; so a made-up
// package recommends what that one does.

// standIn is the name of the made-up package.
const standIn = "treewright-recommends"

// recommended returns what has to be installed for wants that have their recommended
// packages along, and which of those cannot be.
func (q *problem) recommended(ctx context.Context, base *distro.Closure, wants []distro.Want) (more []distro.Archived, missed []string, err error) {
	var plain, with []distro.Want
	for _, w := range wants {
		if w.Recommends {
			with = append(with, w)
		} else {
			plain = append(plain, w)
		}
	}
	rest, _, err := q.solve(ctx, q.names(base, plain))
	if err != nil {
		return nil, nil, err
	}
	if slices.ContainsFunc(with, func(w distro.Want) bool { return (w.Version != "" || w.Suite != "") && find(rest, w) != nil }) {
		// That may be another version than the one that is wanted.
		if rest, _, err = q.solve(ctx, q.names(base, wants)); err != nil {
			return nil, nil, err
		}
	}
	var names, fields []string
	for _, p := range rest.Packages {
		names = append(names, q.archive.exactly(p)) // so that it stays
	}
	for _, w := range with {
		if there := find(rest, w); there == nil {
			names = append(names, q.names(&distro.Closure{}, []distro.Want{w})...)
		} else if value := wholeField(there.Stanza, "Recommends"); value != "" {
			fields = append(fields, value)
		}
	}
	above := &problem{archive: q.archive, index: q.index, local: q.local, pins: q.pins}
	defer above.close()
	if len(fields) > 0 {
		above.local = append(slices.Clone(q.local), madeUp(strings.Join(fields, ", ")))
		names = append(names, standIn)
	}
	if err := above.write(); err != nil {
		return nil, nil, err
	}
	status, err := above.status(rest)
	if err != nil {
		return nil, nil, err
	}
	// apt's binary form of the indices and the usual status file stays for the runs that follow.
	c, out, err := above.solve(ctx, names, "--install-recommends", "--no-remove", "-o", "Dir::State::Status="+status, "-o", "Dir::Cache::pkgcache=")
	if err != nil {
		return nil, nil, err
	}
	// What is wanted itself stays as it is wanted.
	more = slices.DeleteFunc(c.Packages, func(p distro.Archived) bool { return p.Name == standIn })
	missed = slices.DeleteFunc(recommendedSection(out), func(group string) bool { return q.forbids(wants, group) })
	return more, missed, nil
}

// find returns the package of a closure that a want means, or nil.
func find(c *distro.Closure, w distro.Want) *distro.Archived {
	for i, p := range c.Packages {
		if w.Name == p.Name || w.Name == p.Name+":"+p.Arch {
			return &c.Packages[i]
		}
	}
	return nil
}

// forbids reports whether all packages of a choice are forbidden.
func (q *problem) forbids(wants []distro.Want, group string) bool {
	for name := range strings.SplitSeq(group, " | ") {
		if !slices.ContainsFunc(wants, func(w distro.Want) bool { return w.Forbidden && w.Name == name }) {
			return false
		}
	}
	return true
}

// madeUp is a package that recommends others.
func madeUp(recommends string) distro.Archived {
	sum := sha256.Sum256([]byte(recommends))
	p := distro.Archived{
		Package:  distro.Package{Name: standIn, Version: "1", Arch: "all"},
		Filename: "local/" + standIn + ".deb", Size: 1, SHA256: hex.EncodeToString(sum[:]),
	}
	p.Stanza = fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: %s\nRecommends: %s\nFilename: %s\nSize: %d\nSHA256: %s\n", p.Name, p.Version, p.Arch, recommends, p.Filename, p.Size, p.SHA256)
	return p
}

// wholeField returns a field of a paragraph, its lines joined; "" if it is not there.
func wholeField(stanza, name string) string {
	var value string
	in := false
	for line := range strings.Lines(stanza) {
		if line[0] != ' ' && line[0] != '\t' {
			field, rest, _ := strings.Cut(line, ":")
			if in = strings.EqualFold(field, name); in {
				value = strings.TrimSpace(rest)
			}
		} else if in {
			value += " " + strings.TrimSpace(line)
		}
	}
	return value
}

// status writes a status file of dpkg with the packages of a system, and returns its
// path.
func (q *problem) status(system *distro.Closure) (string, error) {
	var b strings.Builder
	for _, p := range system.Packages {
		b.WriteString(strings.TrimRight(p.Stanza, "\n") + "\nStatus: install ok installed\n\n")
	}
	file := filepath.Join(q.dir, "status")
	return file, os.WriteFile(file, []byte(b.String()), 0o600)
}

// recommendedSection returns the packages that apt lists as recommended and does
// not install, "A | B" for a choice.
func recommendedSection(out string) []string {
	_, section, found := strings.Cut(out, "\nRecommended packages:\n")
	if !found {
		return nil
	}
	var words []string
	for line := range strings.Lines(section) {
		if !strings.HasPrefix(line, " ") {
			break
		}
		words = append(words, strings.Fields(line)...)
	}
	var all []string
	for i, word := range words {
		switch {
		case word == "|":
			all[len(all)-1] += " | "
		case i > 0 && words[i-1] == "|":
			all[len(all)-1] += word
		default:
			all = append(all, word)
		}
	}
	return all
}
