package system

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
)

// Tried is a selection of features to be looked at.
type Tried struct {
	*compose.Selection
	// Name is what messages call it.
	Name string
	// Published reports that it is built as it is. Of others, such as a feature
	// alone, it is not a fault that a part is missing.
	Published bool
}

// Check finds the faults of a Garden Linux tree's features that show only
// in selections of them, each once, and what the Garden Linux builder treats differently
// there: packages that it installs in spite of an exclude, several layouts of
// which one counts. It also returns all packages that features include, at
// every place where one is.
//
// expand turns lines of package lists into one word a line, as for
// [Resolve]. It is asked for all features' lines at once.
func Check(p *config.Project, tried []Tried, expand Expand) ([]compose.Want, hcl.Diagnostics) {
	features := p.SortedFeatures()
	c := &check{project: p, seen: map[string]bool{}}
	var ds hcl.Diagnostics
	c.lists, ds = shellPackages(features, expand)
	c.diags = append(c.diags, ds...)
	var wants []compose.Want
	for _, f := range features {
		wants = append(wants, c.lists.Include[f.Name]...)
		c.crowded("pkg.include", c.lists.Include[f.Name], "The Garden Linux builder takes the whole line as the name of one package, which apt does not find; Treewright installs each.")
		c.crowded("pkg.exclude", c.lists.Exclude[f.Name], "The Garden Linux builder takes the whole line as the name of one package, and excludes none of them; Treewright excludes each.")
	}
	for _, t := range tried {
		c.try(t)
	}
	return wants, c.diags
}

type check struct {
	project *config.Project
	lists   *compose.PackageLists
	diags   hcl.Diagnostics
	seen    map[string]bool
}

const differs = "Treated differently"

// add takes in a diagnostic of a selection, unless another selection had one
// with that key before.
func (c *check) add(key string, d *hcl.Diagnostic, t Tried) {
	if c.seen[key] {
		return
	}
	c.seen[key] = true
	d.Detail += fmt.Sprintf(" That is so in %s.", t.Name)
	c.diags = append(c.diags, d)
}

func differently(at hcl.Range, detail string, args ...any) *hcl.Diagnostic {
	d := fault(differs, fmt.Sprintf(detail, args...), at)
	d.Severity = hcl.DiagWarning
	return d
}

// crowded warns of lines that came to several words.
func (c *check) crowded(list string, wants []compose.Want, means string) {
	for i := range wants {
		first := i == 0 || wants[i-1].Range != wants[i].Range
		if first && i+1 < len(wants) && wants[i+1].Range == wants[i].Range {
			c.diags = append(c.diags, differently(wants[i].Range, "This line of %s expands to several words. %s", list, means))
		}
	}
}

func (c *check) try(t Tried) {
	var features []*config.Feature
	for _, name := range t.Features {
		features = append(features, c.project.Features[name])
	}
	_, ds := artifacts(features, len(t.Platforms()) > 0)
	for _, d := range ds {
		if !t.Published && (d.Summary == noLayout || d.Summary == noMaker) {
			continue
		}
		c.add(d.Error(), d, t)
	}
	_, ds = c.lists.Merge(features)
	for _, d := range ds {
		c.add(d.Error(), d, t)
	}
	c.excludes(features, t)
	for _, d := range replacedLayouts(features) {
		c.add(d.Error(), d, t)
	}
}

// What artifacts says of parts that more features may bring.
const (
	noLayout = "No partition layout"
	noMaker  = "Nothing makes the artifact"
)

// excludes finds packages that the Garden Linux builder installs in spite of an exclude:
// it compares the sorted lines of both lists, so that one line of pkg.exclude
// takes away one line of pkg.include, and a version is part of a line.
func (c *check) excludes(features []*config.Feature, t Tried) {
	included, excluded := map[string][]compose.Want{}, map[string][]compose.Want{}
	for _, f := range features {
		for _, w := range c.lists.Include[f.Name] {
			included[w.Name] = append(included[w.Name], w)
		}
		for _, w := range c.lists.Exclude[f.Name] {
			excluded[w.Name] = append(excluded[w.Name], w)
		}
	}
	for _, f := range features {
		for _, w := range c.lists.Exclude[f.Name] {
			left := map[string]int{}
			for _, in := range included[w.Name] {
				left[in.Version]++
			}
			for _, ex := range excluded[w.Name] {
				left[ex.Version]--
			}
			kept := slices.DeleteFunc(slices.Clone(included[w.Name]), func(in compose.Want) bool { return left[in.Version] <= 0 })
			if len(kept) == 0 {
				continue
			}
			var places []string
			for _, in := range included[w.Name] {
				places = append(places, config.PlaceOf(in.Range))
			}
			c.add(fmt.Sprint(w.Range, w.Name), differently(w.Range, "Package %q is excluded here and included more than once (%s). In the Garden Linux builder an exclude removes only one equal line, so the package is installed nevertheless; Treewright does not install it.", w.Name, strings.Join(places, ", ")), t)
		}
	}
}
