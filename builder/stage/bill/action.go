package bill

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/bom"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/stage/installed"
	"github.com/treewright/treewright/builder/stage/machine"
	"github.com/treewright/treewright/builder/task"
	"github.com/treewright/treewright/builder/treefs"
)

// Params are the parameters of [Action].
type Params struct {
	// Name and Description are those of the flavour or the extension.
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	// Vendor is the name of the distribution in package URLs, and Suite its release if the
	// tree's os-release has no code name.
	Vendor string `json:"vendor"`
	Suite  string `json:"suite"`
	// Resolved are the packages that were chosen from sources.
	Resolved []Origin `json:"resolved"`
	// Features are those that bring files, in the order in which they are copied.
	Features []string `json:"features"`
}

// Origin is where a package is from.
type Origin struct {
	distro.Package
	SHA256 string `json:"sha256"`
	Vendor string `json:"vendor"`
	// Feature is the one that brings the package as a file.
	Feature string `json:"feature,omitempty"`
}

// Action writes the bill of materials of a tree in two formats.
var Action = task.Define("bill-of-materials", 1, writeBill)

// writeBill finds a system's tree as it is committed in the input tree. For an extension, tree
// has what the extension consists of, extended the whole tree with it, and system the tree
// below it.
func writeBill(_ context.Context, t *task.Task, p Params) error {
	look := lookup{distro: t.Distro, vendor: p.Vendor, release: p.Suite, resolved: p.Resolved}
	whole, text := t.Inputs["tree"], ""
	isExtension := t.Inputs["extended"] != ""
	var err error
	if isExtension {
		whole = t.Inputs["extended"]
		if text, err = stateOf(installed.StateFile(t.Distro, whole)); err != nil {
			return err
		}
		before, err := stateOf(installed.StateFile(t.Distro, t.Inputs["system"]))
		if err != nil {
			return err
		}
		look.without = t.Distro.Database().ReadState(before).Installed
	} else if text, err = stateOf(filepath.Join(whole, t.Distro.Database().CommittedDir(), t.Distro.Database().StateFile())); err != nil {
		return err
	}
	if text == "" {
		t.Warn("the tree has no list of its packages: the bill of materials has those that were resolved")
	}
	b := &bom.Bill{Name: p.Name, Description: p.Description, Extension: isExtension, Epoch: t.Epoch}
	if release, _, err := machine.OSRelease(whole); err == nil {
		fields := machine.ReleaseFields(release)
		b.Version = machine.Unquote(fields["VERSION_ID"])
		if name := machine.Unquote(fields["VERSION_CODENAME"]); name != "" {
			look.release = name
		}
	}
	if b.Packages, err = look.packages(whole, text); err != nil {
		return err
	}
	if b.Files, err = filesOf(t, p.Name, p.Features); err != nil {
		return err
	}
	fmt.Fprintf(t.Log, "%d packages, %d of them without licences that programs can read; %d files of features\n", len(b.Packages), unlicensed(b.Packages), len(b.Files))
	return write(b, filepath.Join(t.Out, p.Name))
}

// stateOf reads the file with a tree's packages; "" if it does not exist.
func stateOf(file string) (string, error) {
	text, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return "", nil
	}
	return string(text), err
}

func unlicensed(packages []bom.Package) (n int) {
	for _, p := range packages {
		if p.Licence.Expression == "" {
			n++
		}
	}
	return n
}

// write writes a bill in both formats to the files that begin with a path.
func write(b *bom.Bill, path string) error {
	for ending, format := range map[string]func(*bom.Bill) ([]byte, error){SPDXEnding: bom.SPDX, CycloneDXEnding: bom.CycloneDX} {
		text, err := format(b)
		if err != nil {
			return err
		}
		if err := os.WriteFile(path+ending, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Packages lists the packages of a tree whose own list is text; if that is empty, those
// that were resolved. The vendor and release are those of the distribution.
func Packages(d distro.Distro, tree, text, vendor, release string, resolved []Origin) ([]bom.Package, error) {
	return lookup{distro: d, vendor: vendor, release: release, resolved: resolved}.packages(tree, text)
}

// lookup has what the bill of a package is made from.
type lookup struct {
	distro          distro.Distro
	vendor, release string
	resolved        []Origin
	// without are packages that are not listed.
	without []distro.Package
}

func (l lookup) packages(tree, text string) ([]bom.Package, error) {
	root, err := treefs.OpenRoot(tree)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	db := l.distro.Database()
	from := map[distro.Package]Origin{}
	var described []distro.Described
	for _, o := range l.resolved {
		from[o.Package] = o
		if text == "" {
			described = append(described, distro.Described{Package: o.Package, Source: o.Name, SourceVersion: o.Version})
		}
	}
	if text != "" {
		described = db.Describe(text)
	}
	var all []bom.Package
	for _, d := range described {
		if slices.Contains(l.without, d.Package) {
			continue
		}
		o, known := from[d.Package]
		if !known {
			o.Vendor = Unresolved
		}
		release := ""
		if o.Vendor == l.vendor {
			release = l.release
		}
		licence, err := licenceOf(root, db, d.Package)
		if err != nil {
			return nil, err
		}
		all = append(all, bom.Package{Described: d, PURL: db.PURL(d, o.Vendor, release), SHA256: o.SHA256, Feature: o.Feature, Licence: licence})
	}
	slices.SortFunc(all, func(a, b bom.Package) int { return strings.Compare(a.PURL, b.PURL) })
	return all, nil
}
