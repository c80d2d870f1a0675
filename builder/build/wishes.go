package build

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/rules"
	"github.com/treewright/treewright/builder/stage/planner"
	"github.com/treewright/treewright/builder/treefs"
)

// readLocal reads the packages that features bring as files. Faults are at their
// files.
func (q *resolution) readLocal(ctx context.Context, tree string) error {
	q.local = map[string]compose.Want{}
	root, err := os.OpenRoot(tree)
	if err != nil {
		return fmt.Errorf("read %s: %w", tree, err)
	}
	defer root.Close()
	var debs []compose.Deb
	for _, f := range q.subject.Spec.FeaturesOf() {
		for _, d := range f.Debs {
			real, err := config.Follow(treefs.Within(root), d.File)
			if err != nil {
				return err
			}
			p, err := q.distro.Local(ctx, filepath.Join(tree, filepath.FromSlash(real)))
			var bad *distro.LocalError
			if errors.As(err, &bad) {
				q.diags = append(q.diags, config.Fault(d.Range, "Not a package", "The package cannot be read: %s.", strings.TrimSuffix(bad.Reason, ".")))
				continue
			}
			if err != nil {
				return err
			}
			p.Source = featureSource + f.Name
			w := distro.Want{Name: p.Name, Version: p.Version, Local: &p}
			if arch := q.subject.Spec.Flavour.Distribution.Arch; p.Arch != arch && p.Arch != "all" {
				w.Name += ":" + p.Arch
			}
			q.local[d.File] = compose.Want{Want: w, Range: d.Range}
			debs = append(debs, compose.Deb{Package: p.Package, Sum: p.SHA256, File: d.File})
		}
	}
	q.diags = append(q.diags, compose.DebFaults(q.subject.Spec.Flavour, debs)...)
	if q.diags.HasErrors() {
		return &diag.Faults{Files: q.subject.Project.Files, List: q.diags}
	}
	return nil
}

// takeLocal notes the local packages for the plan.
func (q *resolution) takeLocal() {
	for _, f := range q.subject.Spec.FeaturesOf() {
		for _, d := range f.Debs {
			w := q.local[d.File].Want
			if q.packages.Local == nil {
				q.packages.Local = map[string]planner.Local{}
			}
			// If two features have the same file, the first feature is the package's source.
			if _, again := q.packages.Local[w.Local.SHA256]; !again {
				q.packages.Local[w.Local.SHA256] = planner.Local{Want: w, Feature: f.Name, File: d.File}
			}
		}
	}
}

// wishes are all that features want of the archive: their packages, those that they
// bring themselves, unless they are excluded, and those that they forbid.
func (q *resolution) wishes(features []*config.Feature, packages, excluded, forbidden []compose.Want) []compose.Want {
	var local []compose.Want
	for _, f := range features {
		for _, d := range f.Debs {
			w := q.local[d.File]
			names := func(o compose.Want) bool { return o.Name == w.Name }
			again := func(o compose.Want) bool { return o.Local.SHA256 == w.Local.SHA256 }
			if !slices.ContainsFunc(excluded, names) && !slices.ContainsFunc(local, again) {
				w.Recommends = f.Recommends
				local = append(local, w)
			}
		}
	}
	var out []compose.Want
	for _, w := range packages {
		i := slices.IndexFunc(local, func(l compose.Want) bool { return l.Name == w.Name })
		if i < 0 {
			out = append(out, w)
			continue
		}
		local[i].Recommends = local[i].Recommends || w.Recommends
		if w.Version != "" && w.Version != local[i].Version || w.Suite != "" {
			q.fault(config.Fault(w.Range, "Two versions of one package", "Package %s is requested here, and %s is version %s.", w.Want, local[i].Range.Filename, local[i].Version))
		}
	}
	out = append(out, local...)
	for _, w := range forbidden {
		w.Forbidden = true
		out = append(out, w)
	}
	return out
}

func (q *resolution) fault(d *hcl.Diagnostic) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.diags = append(q.diags, d)
}

// replacing finds local packages of an extension that the system has in another
// version.
func (q *resolution) replacing(system *distro.Closure, wishes []compose.Want) {
	for _, w := range wishes {
		if w.Local == nil {
			continue
		}
		for _, p := range system.Packages {
			if p.Name == w.Local.Name && p.SHA256 != w.Local.SHA256 && (p.Arch == w.Local.Arch || p.Arch == "all" || w.Local.Arch == "all") {
				q.fault(config.Fault(w.Range, "Package of the system", "The system has %s in version %s, and an extension can only add packages to it.", p.Name, p.Version))
			}
		}
	}
}

// remark warns of recommended packages that cannot be had, at the lines that ask for
// some.
func (q *resolution) remark(c *distro.Closure, wishes []compose.Want) {
	if len(c.Missed) == 0 {
		return
	}
	var places []string
	for _, w := range wishes {
		if place := config.PlaceOf(w.Range); w.Recommends && !slices.Contains(places, place) {
			places = append(places, place)
		}
	}
	const most = 3
	if more := len(places) - most; more > 0 {
		places = append(places[:most], fmt.Sprintf("%d more", more))
	}
	q.reporter.warn(fmt.Sprintf("%s: recommended packages that cannot be installed: %s", strings.Join(places, ", "), strings.Join(c.Missed, ", ")))
}

// remarkUnknown warns of forbidden packages that there are not.
func (q *resolution) remarkUnknown(ctx context.Context, forbidden []compose.Want) error {
	if len(forbidden) == 0 || q.archive == nil {
		return nil // a lock does not have what it was not asked for; the warning came when it was made
	}
	index, err := q.archive.Index(ctx)
	if err != nil {
		return err
	}
	var sources []distro.Source
	for _, r := range q.archive.Releases() {
		sources = append(sources, r.Source)
	}
	for _, w := range forbidden {
		if name, _, _ := strings.Cut(w.Name, ":"); !index.Has(name) {
			q.reporter.warn(fmt.Sprintf("%s: %s So nothing is forbidden here.", config.PlaceOf(w.Range), rules.UnknownPackage(&distro.UnknownError{Sources: sources, Index: index}, w, q.subject.Spec.Flavour.Range).Detail))
		}
	}
	return nil
}
