package build

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/report"
	"github.com/treewright/treewright/builder/stage/machine"
	"github.com/treewright/treewright/builder/stage/planner"
)

// The names of groups that are not those of features.
const (
	baseGroup  = "base system"
	otherGroup = "other packages"
)

// measure fills in the sizes of the system's tree, as it is before it becomes a commit, and
// those of its packages.
func (p *Prepared) measure(r *report.Report) error {
	files, err := p.sized(r.Packages)
	if err != nil {
		return err
	}
	groups := &sizes{at: map[string]int{}}
	bytes := map[string]int64{}
	for _, f := range files {
		if f.pkg != "" {
			bytes[f.pkg] += f.bytes
		} else {
			groups.add(f.group, topOf(f.path), f.bytes)
		}
	}
	features := p.featuresOfPackages()
	for i := range r.Packages {
		pkg := &r.Packages[i]
		pkg.Bytes = bytes[pkg.Name]
		groups.add(cmp.Or(features[pkg.Name], otherGroup), pkg.Name, pkg.Bytes)
	}
	r.Sizes = groups.list
	return nil
}

// sizedFile is a file of the system's tree, with the package that has it, "" for none, and
// the group that its bytes count for.
type sizedFile struct {
	path, pkg, group string
	bytes            int64
}

// sized are the files of the system's tree, as it is before it becomes a commit.
func (p *Prepared) sized(packages []report.Package) ([]sizedFile, error) {
	stack, dirs, err := p.systemLayers()
	if err != nil {
		return nil, err
	}
	files, err := layer.Sizes(dirs)
	if err != nil {
		return nil, err
	}
	owners, features := p.owners(dirs, packages), p.featuresOfPackages()
	all := make([]sizedFile, len(files))
	for i, f := range files {
		name := owners[machine.Canonical(f.Path)]
		group := groupOf(stack[f.Layer])
		if name != "" {
			group = cmp.Or(features[name], otherGroup)
		}
		all[i] = sizedFile{f.Path, name, group, f.Bytes}
	}
	return all, nil
}

// systemLayers are the steps whose layers are the system's tree, the lowest first, and the
// layers' directories.
func (p *Prepared) systemLayers() (steps []*plan.Step, dirs []string, err error) {
	with, shell, err := p.At("")
	if err != nil {
		return nil, nil, err
	}
	for _, id := range p.Graph.Stack(with.Graph.Step(shell).Base) {
		key := p.Graph.Key(id)
		_, ok, err := p.Cache.Store.Get(key)
		if err != nil {
			return nil, nil, err
		}
		if !ok {
			return nil, nil, diag.Suggest(fmt.Errorf("the result of %s is not in the cache: something changed since the last build, it was removed, or no artifact needed it here", id), p.Subject.Flavour()+" --all-layers", "makes it")
		}
		steps, dirs = append(steps, p.Graph.Step(id)), append(dirs, p.Cache.Store.Data(key))
	}
	return steps, dirs, nil
}

// owners are the packages of files, by the files' canonical paths.
func (p *Prepared) owners(dirs []string, packages []report.Package) map[string]string {
	db := p.distro.Database()
	owners := map[string]string{}
	for _, pkg := range packages {
		for _, dir := range slices.Backward(dirs) {
			files := db.Files(filepath.Join(dir, db.Dir()), distro.Package{Name: pkg.Name, Version: pkg.Version, Arch: pkg.Architecture})
			for _, f := range files {
				owners[machine.Canonical(f)] = pkg.Name
			}
			if files != nil {
				break
			}
		}
	}
	return owners
}

// topOf is the part of a tree that a file of no package is in: its directory, of at most three names.
func topOf(path string) string {
	dir := filepath.Dir(path)
	if parts := strings.SplitN(dir, "/", 5); len(parts) == 5 {
		return strings.Join(parts[:4], "/")
	}
	return dir
}

// groupOf is the group of the files of no package that a step brought.
func groupOf(s *plan.Step) string {
	words := strings.Split(s.ID, "/")
	if len(words) == 3 && s.Action != planner.InstallAction.Name() {
		return words[2]
	}
	return "made by " + s.ID
}

// featuresOfPackages are the features that packages are there for: of those that ask for it, or for what
// depends on it, the first one.
func (p *Prepared) featuresOfPackages() map[string]string {
	needs := p.needsOf(p.Packages.System)
	of := map[string]string{}
	var reach func(name, feature string)
	reach = func(name, feature string) {
		if needs[name] == nil || of[name] != "" {
			return
		}
		of[name] = feature
		for _, d := range needs[name].depends {
			reach(d, feature)
		}
	}
	for _, a := range p.Packages.Base.Packages {
		of[a.Name] = baseGroup
	}
	for _, w := range p.Subject.Spec.Packages {
		if !w.Forbidden {
			name, _, _ := strings.Cut(w.Name, ":")
			reach(name, p.askedBy(w.Range.Filename))
		}
	}
	return of
}

// askedBy is the feature whose file asks for a package, or else the flavour.
func (p *Prepared) askedBy(file string) string {
	if _, rest, ok := strings.Cut("/"+strings.ReplaceAll(file, ":", "/"), "/features/"); ok {
		name, _, _ := strings.Cut(rest, "/")
		return name
	}
	return p.Subject.Flavour()
}

// sizes adds up items of groups, in the order in which they come.
type sizes struct {
	list []report.Group
	at   map[string]int
}

func (s *sizes) add(group, item string, bytes int64) {
	g, ok := s.at[group]
	if !ok {
		g = len(s.list)
		s.at[group] = g
		s.list = append(s.list, report.Group{Name: group})
	}
	items := &s.list[g].Items
	for i := range *items {
		if (*items)[i].Name == item {
			(*items)[i].Bytes += bytes
			return
		}
	}
	*items = append(*items, report.Item{Name: item, Bytes: bytes})
}
