package config

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// TestMistypedUses: an entry that is nearly right is told with the one that is.
func TestMistypedUses(t *testing.T) {
	for use, want := range map[string]string{
		"git@h:a/b.git#" + aCommit:                        ` Did you mean "git+ssh://git@h/a/b.git#` + aCommit + `"?`,
		"git+anna@h:b.git#" + aCommit:                     ` Did you mean "git+ssh://anna@h/b.git#` + aCommit + `"?`,
		"git+/srv/b#" + aCommit:                           ` Did you mean "git+file:///srv/b#` + aCommit + `"?`,
		"ssh://git@h/b#" + aCommit:                        ` Did you mean "git+ssh://git@h/b#` + aCommit + `"?`,
		"git+../b#" + aCommit:                             `for a directory in it.`,
		"ftp://h/b":                                       `for a directory in it.`,
		"git+file://srv/b#" + aCommit:                     `treewright.hcl:1: Invalid URL: "file://srv/b" has no absolute path: three slashes follow file:, as in git+file:///srv/trees.git.`,
		"git+https://h/b#" + strings.ToUpper(aCommit):     `treewright.hcl:1: Not a commit: A commit id is written with small letters. Did you mean "` + aCommit + `"?`,
		"git+https://h/b#" + strings.ToUpper(aCommit[1:]): `has to be a full commit id of 40 hexadecimal digits`,
	} {
		_, got := summaries(t, files("treewright.hcl", `use = ["`+use+`"]`), nil)
		if len(got) != 1 || !strings.Contains(got[0], want) || strings.HasPrefix(want, "for ") && !strings.HasSuffix(got[0], want) {
			t.Errorf("of %s is said %v", use, got)
		}
	}
}

// TestBuiltinToAdd: the file that there is is named, in its own syntax, and what is in
// it stays.
func TestBuiltinToAdd(t *testing.T) {
	flavour := "flavours:\n  x:\n    distribution: {suite: testing}\n    features: [base]\n"
	trees := map[string]fstest.MapFS{"/c": files("features/c/info.yaml", plainInfo, "treewright.hcl", `use = []`)}
	for _, test := range [][3]string{
		{"treewright.yaml", "use: []", `write use: [builtin] to treewright.yaml, in the directory of the tree.`},
		{"treewright.yml", "", `write use: [builtin] to treewright.yml, in the directory of the tree.`},
		{"treewright.yaml", "use: [../c]", `add "builtin" to use in treewright.yaml.`},
		{"treewright.hcl", `use = ["../c"]`, `add "builtin" to use in treewright.hcl.`},
		{"treewright.hcl", ``, `write use = ["builtin"] to treewright.hcl, in the directory of the tree.`},
	} {
		_, got := summaries(t, files(test[0], test[1], "flavours/x.yaml", flavour), trees)
		if want := []string{`flavours/x.yaml:4: Unknown feature: There is no feature "base". Treewright has one: ` + test[2]}; !slices.Equal(got, want) {
			t.Errorf("%s with %q: %v", test[0], test[1], got)
		}
	}
}
