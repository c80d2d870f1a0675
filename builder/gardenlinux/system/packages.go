package system

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
)

// Expand turns lines of package lists into one word a line, as a shell does.
type Expand func([]config.Line) ([]config.Line, hcl.Diagnostics)

// shellPackages expands the package lists of features in their order.
func shellPackages(features []*config.Feature, expand Expand) (*compose.PackageLists, hcl.Diagnostics) {
	lists := compose.NewPackageLists()
	var diags hcl.Diagnostics
	for _, list := range []struct {
		of   func(*config.Feature) []config.Line
		into map[string][]compose.Want
	}{
		{func(f *config.Feature) []config.Line { return f.Packages }, lists.Include},
		{func(f *config.Feature) []config.Line { return f.ExcludePackages }, lists.Exclude},
	} {
		// One question for all: a shell may remember what a line before said.
		var lines []config.Line
		owner := map[string]string{} // file -> feature
		for _, f := range features {
			for _, l := range list.of(f) {
				lines = append(lines, l)
				owner[l.Range.Filename] = f.Name
			}
		}
		if len(lines) == 0 {
			continue
		}
		words, ds := expand(lines)
		diags = append(diags, ds...)
		for _, w := range words {
			want, ok := compose.ParseWant(w.Text)
			if !ok {
				diags = append(diags, fault("Invalid package name", fmt.Sprintf("%q, to which a shell expands this line, is not a package: %s", w.Text, compose.PackageSyntax), w.Range))
				continue
			}
			feature := owner[w.Range.Filename]
			list.into[feature] = append(list.into[feature], compose.Want{Want: want, Range: w.Range})
		}
	}
	return lists, diags
}
