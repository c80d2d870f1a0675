package difference

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/report"
)

// The changes of packages, in the order in which they are listed.
var packageOrder = []string{"upgraded", "downgraded", "added", "removed"}

// aCVE is an identifier of a vulnerability.
var aCVE = regexp.MustCompile(`\bCVE-[0-9]{4}-[0-9]{4,}\b`)

// comparePackages compares the lists of packages.
func (d *Difference) comparePackages(ctx context.Context, o Options) {
	changes := report.Compare(d.Before.Packages, d.After.Packages)
	for _, p := range changes.Added {
		d.Packages = append(d.Packages, Package{Name: p.Name, What: "added", After: p.Version})
	}
	for _, p := range changes.Removed {
		d.Packages = append(d.Packages, Package{Name: p.Name, What: "removed", Before: p.Version})
	}
	for _, c := range changes.Changed {
		p := Package{Name: c.Name, What: "upgraded", Before: c.Before, After: c.After}
		if o.Distro.CompareVersions(c.Before, c.After) > 0 {
			p.What = "downgraded"
		}
		d.addChangelog(ctx, &p, o)
		d.Packages = append(d.Packages, p)
	}
	slices.SortStableFunc(d.Packages, func(a, b Package) int {
		return cmp.Or(cmp.Compare(slices.Index(packageOrder, a.What), slices.Index(packageOrder, b.What)), strings.Compare(a.Name, b.Name))
	})
	d.joinChangelogs()
}

// joinChangelogs keeps what packages of one source have in common once, and collects the
// vulnerabilities.
func (d *Difference) joinChangelogs() {
	for i := range d.Packages {
		p := &d.Packages[i]
		for _, cve := range p.CVEs {
			if !slices.Contains(d.CVEs, cve) {
				d.CVEs = append(d.CVEs, cve)
			}
		}
		if len(p.Changelog) == 0 {
			continue
		}
		for _, first := range d.Packages[:i] {
			if slices.Equal(first.Changelog, p.Changelog) {
				p.Changelog, p.SameAs = nil, first.Name
				break
			}
		}
	}
	slices.Sort(d.CVEs)
}

// addChangelog finds the entries between two versions of a package: in the tree that has
// the newer one, or in the package's file.
func (d *Difference) addChangelog(ctx context.Context, p *Package, o Options) {
	side, after, until := &d.After, p.Before, p.After
	if p.What == "downgraded" {
		side, after, until = &d.Before, p.After, p.Before
	}
	full := distro.Package{Name: p.Name, Version: until}
	for known := range side.Sums {
		if known.Name == p.Name && known.Version == until {
			full.Arch = known.Arch
		}
	}
	content, err := readChangelog(ctx, side, full, o)
	if errors.Is(err, fs.ErrNotExist) {
		p.NoChangelog = "no changelog: the tree leaves it out, and the package is not in the cache"
		return
	}
	if err == nil {
		p.Changelog, err = o.Distro.ReadChangelog(content, after, until)
	}
	if err != nil {
		p.NoChangelog = err.Error()
		return
	}
	if len(p.Changelog) == 0 {
		p.NoChangelog = "its changelog has no entry between the versions"
	}
	for _, e := range p.Changelog {
		for _, cve := range aCVE.FindAllString(e.Text, -1) {
			if !slices.Contains(p.CVEs, cve) {
				p.CVEs = append(p.CVEs, cve)
			}
		}
	}
	slices.Sort(p.CVEs)
}

// largestChangelog is more than any has, compressed, in bytes.
const largestChangelog = 16 << 20

// readChangelog reads the changelog of a package of one side; fs.ErrNotExist if it is
// nowhere.
func readChangelog(ctx context.Context, side *Side, p distro.Package, o Options) ([]byte, error) {
	if side.Tree != nil {
		for _, name := range o.Distro.ChangelogFiles(p) {
			content, err := side.Tree.ReadFile(name, largestChangelog)
			if !errors.Is(err, fs.ErrNotExist) {
				return content, err
			}
		}
	}
	if sum := side.Sums[p]; sum != "" && o.Package != nil {
		if file := o.Package(sum); file != "" {
			return o.Distro.PackageChangelog(ctx, file, p)
		}
	}
	return nil, fs.ErrNotExist
}

// InstalledIn reads the packages of a tree from its own list; false if it has none.
func InstalledIn(tree ostree.Tree, db distro.Database) ([]report.Package, bool, error) {
	const largest = 256 << 20
	text, err := tree.ReadFile(db.CommittedDir()+"/"+db.StateFile(), largest)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	var out []report.Package
	for _, p := range db.ReadState(string(text)).Installed {
		out = append(out, report.Package{Name: p.Name, Version: p.Version, Architecture: p.Arch})
	}
	return out, true, nil
}
