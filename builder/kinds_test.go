package builder_test

import (
	"go/ast"
	"go/token"
	"regexp"
	"strings"
	"testing"
)

// otherTrees is what code would know Garden Linux trees by, beside those with
// flavours: in identifiers, in the paths of imports, and in strings.
var otherTrees = regexp.MustCompile(`(?i)foreign|cname|garden.?linux|frankenstein|flavors\.ya?ml|published_?file|get_repo`)

// choosesKind is the one file outside of builder/gardenlinux that may know: it
// chooses the rules of a tree.
const choosesKind = "build/rules.go"

// sharedWords are strings that are equally of trees with flavours. None is compared
// with anything.
var sharedWords = map[[2]string]string{
	{"compose/spec.go", `"BUILDER_CNAME"`}:                        "scripts of flavours are told their canonical name",
	{"stage/rootfs/script.go", `"BUILDER_CNAME"`}:                 "scripts of flavours are told their canonical name",
	{"publish/manifest.go", "`json:\"cname\"`"}:                   "the canonical name in the manifest of every flavour",
	{"config/schema.go", `"Used by Garden Linux; ignored here."`}: "the description of a field of info.yaml",
}

// TestKindsOfTrees: the rules of a tree are chosen in one place, and nothing but
// that place and the rules themselves can find out which they are.
func TestKindsOfTrees(t *testing.T) {
	all, fset := sources(t)
	chooses, shared := false, map[[2]string]bool{}
	for _, s := range all {
		if s.test || s.pkg == "gardenlinux" || strings.HasPrefix(s.pkg, "gardenlinux/") || s.pkg == "e2e" {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			word := ""
			switch n := n.(type) {
			case *ast.BasicLit:
				if n.Kind == token.STRING {
					word = n.Value
				}
			case *ast.Ident:
				word = n.Name
			}
			if !otherTrees.MatchString(word) {
				return true
			}
			key := [2]string{s.path, word}
			switch {
			case s.path == choosesKind:
				chooses = true
			case sharedWords[key] != "":
				shared[key] = true
			default:
				t.Errorf("%s: %s: only builder/gardenlinux and %s know that there are other trees than those with flavours", fset.Position(n.Pos()), word, choosesKind)
			}
			return true
		})
	}
	if !chooses {
		t.Errorf("%s knows nothing of other trees: the test looks for the wrong words", choosesKind)
	}
	for key := range sharedWords {
		if !shared[key] {
			t.Errorf("%s does not have %s any more; take it off the list", key[0], key[1])
		}
	}
}
