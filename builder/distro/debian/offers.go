package debian

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/distro"
)

// Offers are all versions of a package that can be chosen, in the order of the
// sources.
func (a *Archive) Offers(ctx context.Context, name string) ([]distro.Archived, error) {
	var all []distro.Archived
	if a.parts == nil {
		index, err := a.parsed(ctx)
		if err != nil {
			return nil, err
		}
		for _, at := range index.byName[name] {
			p, err := parsePackage(index.text[at.from:at.to])
			if err != nil {
				return nil, err
			}
			p.Source, p.Suite = a.Source.Name, a.Source.Suite
			all = append(all, p)
		}
		return all, nil
	}
	files, err := a.chosen()
	if err != nil {
		return nil, fmt.Errorf("read package index: %w", err)
	}
	for _, of := range files {
		var own []distro.Archived
		for _, p := range of {
			if p.Name == name {
				own = append(own, p)
			}
		}
		slices.SortFunc(own, func(x, y distro.Archived) int { return x.Compare(y.Package) })
		all = append(all, own...)
	}
	return all, nil
}

// Dependencies are the names of packages that a package depends on.
func (Family) Dependencies(p distro.Archived) []string {
	stanza := []byte(strings.TrimRight(p.Stanza, "\n"))
	return relationNames(field(stanza, "Depends") + "," + field(stanza, "Pre-Depends"))
}

// Recommended are the names of packages that a package recommends.
func (Family) Recommended(p distro.Archived) []string {
	return relationNames(wholeField(p.Stanza, "Recommends"))
}

// Provided are the names of virtual packages that a package provides.
func (Family) Provided(p distro.Archived) []string {
	return relationNames(wholeField(p.Stanza, "Provides"))
}
