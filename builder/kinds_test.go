package builder_test

import (
	"go/ast"
	"regexp"
	"strings"
	"testing"
)

// otherTrees are identifiers, and paths of imports, by which code would know that
// there are Garden Linux trees beside those with flavours.
var otherTrees = regexp.MustCompile(`(?i)foreign|cname|gardenlinux|frankenstein|publishedfile`)

// knowing lists files that may know: what they know, and why. The list is to
// become shorter only.
var knowing = map[string]string{
	"build/rules.go":        "chooses the rules",
	"build/options.go":      "passes what a request says of cnames on to that choice",
	"cli/batch.go":          "the verb features answers as parse_features does; it is of no use in other trees",
	"cli/build.go":          "the option --resolve-cname",
	"cli/cname.go":          "the options of cnames",
	"cli/features.go":       "the verb features, as above",
	"cli/featureoptions.go": "the verb features, as above",
	"cli/imagetools.go":     "the programs of image scripts can be called as verbs",
	"cli/load.go":           "passes the options of cnames on",
	"cli/command.go":        "the programs of image scripts can be called as verbs",
	"cli/options.go":        "the options of cnames",
	"cli/published.go":      "a list has what a tree's flavors.yaml publishes",
	"compose/select.go":     "a flavour has a canonical name as well: BUILDER_CNAME",
	"compose/spec.go":       "a flavour has a canonical name as well: BUILDER_CNAME",
	"compose/assembly.go":   "a Spec has a canonical name",
	"cli/vm.go":             "the options of cnames",
	"publish/manifest.go":   "a manifest has the canonical name",
}

// TestKindsOfTrees counts who asks what kind of tree it has to do with.
func TestKindsOfTrees(t *testing.T) {
	all, fset := sources(t)
	knows := map[string]bool{}
	for _, s := range all {
		if s.test || s.pkg == "gardenlinux" || strings.HasPrefix(s.pkg, "gardenlinux/") || s.pkg == "e2e" {
			continue
		}
		found := func(n ast.Node, name string) {
			knows[s.path] = true
			if knowing[s.path] == "" {
				t.Errorf("%s: %s: only builder/gardenlinux and build/rules.go know that there are other trees than those with flavours", fset.Position(n.Pos()), name)
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ImportSpec:
				if strings.Contains(n.Path.Value, "builder/gardenlinux") {
					found(n, n.Path.Value)
				}
			case *ast.Ident:
				if otherTrees.MatchString(n.Name) {
					found(n, n.Name)
				}
			}
			return true
		})
	}
	for path := range knowing {
		if !knows[path] {
			t.Errorf("%s knows nothing of other trees any more; take it off the list", path)
		}
	}
}
