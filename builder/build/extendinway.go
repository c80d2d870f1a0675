package build

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/stage/rootfs"
)

// inTheWay describes why packages cannot be added to a commit: which packages of the commit would have to have another version, and
// whether the newest commit has them. If that is not the reason, it returns the message of the solver.
func (q *resolution) inTheWay(ctx context.Context, base *extendedCommit, system *distro.Closure, wants []compose.Want, why *distro.UnsolvableError) string {
	moved, err := q.moving(ctx, system, wants, why)
	if err != nil || len(moved) == 0 {
		return unsolvedAbove(why)
	}
	texts := make([]string, len(moved))
	for i, m := range moved {
		texts[i] = fmt.Sprintf("the commit has %s %s, and %s would be needed", m.name, m.has, m.needed)
	}
	text := strings.Join(texts, "; ")
	newest, version, err := q.newestFits(ctx, base, wants)
	switch {
	case err != nil:
		return text
	case newest == "":
		return text + ". The flavour has no commit to which they can be added yet: build it again, and upgrade the machine"
	}
	return fmt.Sprintf("%s. They can be added to the commit %.12s (version %s): upgrade the machine first", text, newest, version)
}

// virtual matches apt's description of a package that only other packages provide.
var virtual = regexp.MustCompile(`(?m)^Package (\S+) is a virtual package provided by:\n((?:  .*\n)+)`)

// unsolvedAbove describes why the packages cannot be added without a change of the packages of the commit.
func unsolvedAbove(why *distro.UnsolvableError) string {
	if m := virtual.FindStringSubmatch(why.Reason); m != nil {
		var names []string
		for line := range strings.Lines(m[2]) {
			names = append(names, strings.Fields(line)[0])
		}
		slices.Sort(names)
		return fmt.Sprintf("%s is a virtual package, which these provide: %s. Ask for one of them", m[1], strings.Join(slices.Compact(names), ", "))
	}
	return why.Program + " says:\n" + thatMatters(why.Reason) +
		"\nThe packages of the commit stay, in their versions. If one of them is in the way, remove it from the flavour, and add the package that is asked for there"
}

// movedPackage is a package of a commit that would have to have another version.
type movedPackage struct{ name, has, needed string }

// moving finds the packages of a commit that would have to move. It lets the packages move that the solver names, until the solver finds
// a solution.
func (q *resolution) moving(ctx context.Context, system *distro.Closure, wants []compose.Want, why *distro.UnsolvableError) ([]movedPackage, error) {
	free := map[string]bool{}
	for {
		words := strings.FieldsFunc(why.Reason, func(r rune) bool { return strings.ContainsRune(" \t\n,()[]|:'\"=", r) })
		all, rest, more := rootfs.Wants(wants), &distro.Closure{}, false
		for _, p := range system.Packages {
			if slices.Contains(words, p.Name) && !free[p.Name] {
				free[p.Name], more = true, true
			}
			if free[p.Name] {
				all = append(all, distro.Want{Name: p.Name})
			} else {
				rest.Packages = append(rest.Packages, p)
			}
		}
		if !more {
			return nil, nil
		}
		c, err := q.archive.Resolve(ctx, rest, all)
		if err == nil {
			return movedIn(system, c), nil
		}
		if !errors.As(err, &why) {
			return nil, err
		}
	}
}

// movedIn are the packages that have another version in a solution.
func movedIn(system, c *distro.Closure) []movedPackage {
	var moved []movedPackage
	for _, p := range system.Packages {
		for _, n := range c.Packages {
			if n.Name == p.Name && n.Arch == p.Arch && n.Version != p.Version {
				moved = append(moved, movedPackage{p.Name, p.Version, n.Version})
			}
		}
	}
	return moved
}

// newestFits returns the newest commit of the flavour and its version if packages can be added to it.
func (q *resolution) newestFits(ctx context.Context, base *extendedCommit, wants []compose.Want) (sum, version string, err error) {
	newest := *base
	if newest.sum, err = base.repo.Head(base.ref); err != nil || newest.sum == "" || newest.sum == base.sum {
		return "", "", err
	}
	if err := newest.read(); err != nil {
		return "", "", err
	}
	have, err := newest.packages(q.distro.Database())
	if err != nil {
		return "", "", err
	}
	system, err := q.asOffered(ctx, have)
	if err != nil {
		return "", "", err
	}
	if _, err := q.archive.Resolve(ctx, system, rootfs.Wants(wants)); err != nil {
		return "", "", nil
	}
	object, err := newest.repo.Commit(newest.sum)
	if err != nil {
		return "", "", err
	}
	return newest.sum, object.Metadata["version"], nil
}
