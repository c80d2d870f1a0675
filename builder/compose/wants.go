package compose

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
)

// recommending follows a package whose recommended packages are wanted too, and
// forbidding goes before one that is not to be there, whatever needs it.
const (
	recommending = "+recommends"
	forbidding   = "!"
)

// wants expands the package lines of one feature. A line that becomes empty
// because all its variables are adds no package.
func wants(lines []config.Line, sc func() scope) ([]Want, hcl.Diagnostics) {
	var out []Want
	diags := eachName(lines, sc, func(name string, at hcl.Range) *hcl.Diagnostic {
		if strings.HasPrefix(name, forbidding) {
			return fault("Forbidden package", fmt.Sprintf("%q forbids a package. That belongs in pkg.exclude, or in exclude_packages of a flavour.", name), at)
		}
		if plus := strings.LastIndexByte(name, '+'); plus > 0 {
			end := name[plus:]
			_, suite, _ := strings.Cut(end, "/")
			if suite != "" {
				end, suite = strings.TrimSuffix(end, "/"+suite), "/"+suite
			}
			if end+suite != recommending && (end == recommending || config.Suggest(end, []string{recommending}) != "") {
				return fault("Invalid package name", fmt.Sprintf("No name of a package ends in %q. Did you mean %q?", end+suite, name[:plus]+suite+recommending), at)
			}
		}
		name, recommends := strings.CutSuffix(name, recommending)
		want, ok := ParseWant(name)
		if !ok {
			return notPackage(name, at)
		}
		want.Recommends = recommends
		out = append(out, Want{Want: want, Range: at})
		return nil
	})
	return out, diags
}

// excludes expands the lines of pkg.exclude: the packages that are taken back, and
// those of them that are forbidden.
func excludes(lines []config.Line, sc func() scope) (excluded, forbidden []Want, diags hcl.Diagnostics) {
	diags = eachName(lines, sc, func(text string, at hcl.Range) *hcl.Diagnostic {
		name, forbids := strings.CutPrefix(text, forbidding)
		want, ok := ParseWant(name)
		switch {
		case strings.HasSuffix(name, recommending):
			return fault("Recommended packages of an excluded package", fmt.Sprintf("A package that is excluded recommends nothing; write %q.", strings.TrimSuffix(text, recommending)), at)
		case !ok:
			return notPackage(name, at)
		case want.Version != "":
			return fault("Version in an exclude", "A package is excluded regardless of its version; leave out the version.", at)
		case want.Suite != "":
			return fault("Suite in an exclude", "A package is excluded whichever suite it is from; leave out the suite.", at)
		}
		w := Want{Want: want, Range: at}
		excluded = append(excluded, w)
		if forbids {
			forbidden = append(forbidden, w)
		}
		return nil
	})
	return excluded, forbidden, diags
}

func notPackage(name string, at hcl.Range) *hcl.Diagnostic {
	if strings.HasSuffix(name, ".deb") {
		return fault("Invalid package name", fmt.Sprintf("%q is a file. Packages of one's own are in file.debs/ of a feature, and all of them are installed.", name), at)
	}
	return fault("Invalid package name", fmt.Sprintf("%q is not a package: %s%s", name, PackageSyntax, packageHint(name)), at)
}

// eachName expands package lines, and takes each name.
func eachName(lines []config.Line, sc func() scope, take func(name string, at hcl.Range) *hcl.Diagnostic) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, line := range lines {
		if isName(line.Text) { // it has no variables and no conditions
			if d := take(line.Text, line.Range); d != nil {
				diags = append(diags, d)
			}
			continue
		}
		parsed, err := parsePackageLine(line.Text)
		if err != nil {
			diags = append(diags, err.in(line))
			continue
		}
		names, errs := parsed.expand(sc())
		for _, err := range errs {
			diags = append(diags, err.in(line))
		}
		for _, name := range names {
			if name == "" {
				continue
			}
			if d := take(name, line.Range); d != nil {
				diags = append(diags, d)
			}
		}
	}
	return diags
}

// PackageLists are the package lines of features, expanded.
type PackageLists struct {
	// Each is by feature. Forbid has those of Exclude that are not to be there
	// even if another package needs them.
	Include, Exclude, Forbid, Build map[string][]Want
}

// NewPackageLists returns lists without a package.
func NewPackageLists() *PackageLists {
	return &PackageLists{map[string][]Want{}, map[string][]Want{}, map[string][]Want{}, map[string][]Want{}}
}

func expandPackages(p *config.Project, selected []string, values map[string]map[string]Value, vars map[string]string) (*PackageLists, hcl.Diagnostics) {
	lists := NewPackageLists()
	var diags hcl.Diagnostics
	for _, name := range selected {
		diags = append(diags, lists.add(p.Features[name], values[name], vars)...)
	}
	return lists, diags
}

func (l *PackageLists) add(f *config.Feature, values map[string]Value, vars map[string]string) hcl.Diagnostics {
	sc := sync.OnceValue(func() scope { return newScope(f, values, vars) })
	include, diags := wants(f.Packages, sc)
	if f.Recommends {
		for i := range include {
			include[i].Recommends = true
		}
	}
	exclude, forbid, ds := excludes(f.ExcludePackages, sc)
	diags = append(diags, ds...)
	build, ds := wants(f.PackagesBuild, sc)
	for into, list := range map[*map[string][]Want][]Want{&l.Include: include, &l.Exclude: exclude, &l.Forbid: forbid, &l.Build: build} {
		if len(list) > 0 {
			(*into)[f.Name] = list
		}
	}
	return append(diags, ds...)
}

// merged lists what some features name, each package once, in the order of the first
// mention.
func merged(lists map[string][]Want, features []*config.Feature) []Want {
	var out []Want
	for _, f := range features {
		for _, w := range lists[f.Name] {
			if !slices.ContainsFunc(out, func(o Want) bool { return o.Name == w.Name }) {
				out = append(out, w)
			}
		}
	}
	return out
}

// Merge lists what some features want together: all that one includes and none
// excludes, in the order of the first mention. As in the Garden Linux builder
// an exclude counts wherever it stands, so an earlier feature can exclude what
// a later one includes.
func (l *PackageLists) Merge(features []*config.Feature) ([]Want, hcl.Diagnostics) {
	excluded := map[string]bool{}
	for _, f := range features {
		for _, w := range l.Exclude[f.Name] {
			excluded[w.Name] = true
		}
	}
	var out []Want
	var diags hcl.Diagnostics
	at := map[string]int{}
	versioned := map[string]Want{}
	for _, f := range features {
		for _, w := range l.Include[f.Name] {
			if excluded[w.Name] {
				continue
			}
			if _, ok := at[w.Name]; !ok {
				at[w.Name] = len(out)
				w.Feature = f.Name
				out = append(out, w)
			}
			if w.Recommends {
				out[at[w.Name]].Recommends = true
			}
			if w.Version == "" && w.Suite == "" {
				continue
			}
			first, ok := versioned[w.Name]
			if !ok {
				versioned[w.Name] = w
				// What may be wrong with these is written there.
				out[at[w.Name]].Version, out[at[w.Name]].Suite, out[at[w.Name]].Range = w.Version, w.Suite, w.Range
			} else if first.Suite != w.Suite {
				diags = append(diags, fault("Two suites for one package",
					fmt.Sprintf("%q is requested here, and %q at %s.", w.Want, first.Want, place(first.Range)), w.Range))
			} else if first.Version != w.Version {
				diags = append(diags, fault("Two versions of one package",
					fmt.Sprintf("Package %q is requested in version %s here and in version %s at %s.", w.Name, w.Version, first.Version, place(first.Range)), w.Range))
			}
		}
	}
	return out, diags
}
