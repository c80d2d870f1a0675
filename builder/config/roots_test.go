package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// usesOf opens trees of a map by what they are called: the path from the own tree,
// which is /own, or a git repository's URL.
func usesOf(trees map[string]fstest.MapFS) Uses {
	return Uses{ID: "/own", Dir: "/own", Builtin: []string{"base"}, Open: func(from *Root, u Use) (*Root, error) {
		at := u.String()
		switch {
		case u.Kind == UsePath && path.IsAbs(u.Path):
			at = u.Path
		case u.Kind == UsePath:
			at = path.Join(from.Dir, u.Path)
		}
		tree, ok := trees[at]
		if !ok {
			return nil, errors.New("there is no " + at)
		}
		return &Root{ID: at, FS: tree, Dir: at}, nil
	}}
}

func files(pairs ...string) fstest.MapFS {
	tree := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		mode := fs.FileMode(0o644)
		if strings.HasPrefix(pairs[i+1], "#!") {
			mode = 0o755
		}
		tree[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1]), Mode: mode}
	}
	return tree
}

const (
	aCommit   = "0123456789abcdef0123456789abcdef01234567"
	plainInfo = "type: element\n"
)

func summaries(t *testing.T, own fstest.MapFS, trees map[string]fstest.MapFS) (*Project, []string) {
	t.Helper()
	p, diags := Load(own, Options{Uses: usesOf(trees)})
	var got []string
	for _, d := range diags {
		got = append(got, fmt.Sprintf("%s: %s: %s", PlaceOf(*d.Subject), d.Summary, d.Detail))
		if p.Files[d.Subject.Filename] == nil && !strings.HasSuffix(d.Subject.Filename, FeaturesDir) && d.Subject.Start.Line > 1 {
			t.Errorf("the text of %s is not there for the message", d.Subject.Filename)
		}
	}
	return p, got
}

// TestUse: features come from all trees, the own first, then in the order written,
// those of a tree before what it uses itself; each tree is read once.
func TestUse(t *testing.T) {
	git := "git+https://example.com/x/trees.git#" + aCommit
	trees := map[string]fstest.MapFS{
		"builtin":          files("features/base/info.yaml", plainInfo, "features/podman/info.yaml", plainInfo, "flavours/x.hcl", "{"),
		"/shared":          files("treewright.yaml", "use: [builtin, ../more]\nx-note: 1\n", "features/podman/info.yaml", "type: element\ndescription: shared\n"),
		"/more":            files("features/last/info.yaml", plainInfo, "features/own/info.yaml", plainInfo),
		git + ":a/b":       files("treewright.hcl", `use = ["../c", "builtin"]`, "features/fetched/info.yaml", "type: element\nfeatures: {include: [beside]}\n"),
		git + ":a/c":       files("features/beside/info.yaml", plainInfo),
		"/elsewhere/trees": files("features/far/info.yaml", plainInfo),
	}
	own := files("treewright.hcl", `use = ["../shared", "builtin", "`+git+`:a/b/", "/elsewhere/trees/"]`, "features/own/info.yaml", "type: element\nfeatures: {include: [base, far]}\n")
	p, got := summaries(t, own, trees)
	want := []string{
		"../shared/features/podman/info.yaml:1: Feature in place of another: ../shared/features/podman is used in place of builtin:features/podman, because the tree's own features come first, and then those of the trees that it uses, in the order written.",
		"features/own/info.yaml:1: Feature in place of another: features/own is used in place of ../more/features/own, because the tree's own features come first, and then those of the trees that it uses, in the order written.",
	}
	if !slices.Equal(got, want) {
		t.Errorf("said\n%s", strings.Join(got, "\n"))
	}
	dirs, roots := map[string]string{}, map[string]string{}
	for name, f := range p.Features {
		dirs[name] = f.Dir
		if roots[name] = "-"; f.Root != nil {
			roots[name] = f.Root.Name
		}
		if f.Place() != "features/"+name {
			t.Errorf("%s is in %s of its tree", name, f.Place())
		}
	}
	if want := map[string]string{
		"base": "builtin:features/base", "podman": "../shared/features/podman", "last": "../more/features/last", "own": "features/own",
		"fetched": "trees@0123456789ab:a/b/features/fetched", "beside": "trees@0123456789ab:a/c/features/beside", "far": "/elsewhere/trees/features/far",
	}; !maps.Equal(dirs, want) {
		t.Errorf("the features are in %v", dirs)
	}
	if want := map[string]string{
		"base": "builtin", "podman": "../shared", "last": "../more", "own": "-",
		"fetched": "trees@0123456789ab:a/b", "beside": "trees@0123456789ab:a/c", "far": "/elsewhere/trees",
	}; !maps.Equal(roots, want) {
		t.Errorf("the features come from %v", roots)
	}
	if hidden := []Hidden{{"podman", "builtin:features/podman"}, {"own", "../more/features/own"}}; !slices.Equal(p.Hidden, hidden) {
		t.Errorf("hidden are %v", p.Hidden)
	}
}

// TestUsedFaults: what is wrong in a used tree is reported with its place there, and
// links lead nowhere but within it.
func TestUsedFaults(t *testing.T) {
	shared := files(
		"features/bad/info.yaml", "type: element\ndescriptin: x\n",
		"features/early/info.yaml", "type: element\nparameters:\n  x: {default: a}\n", "features/early/exec.early", "#!/bin/sh\necho $PARAM_X\n",
		"features/linked/info.yaml", plainInfo, "common/script", "#!/bin/sh\n",
	)
	for name, target := range map[string]string{"features/linked/exec.config": "../../common/script", "features/linked/exec.late": "../../../own/secret"} {
		shared[name] = &fstest.MapFile{Data: []byte(target), Mode: fs.ModeSymlink | 0o777}
	}
	p, got := summaries(t, files("treewright.hcl", `use = ["../shared"]`, "secret", "#!/bin/sh\n"), map[string]fstest.MapFS{"/shared": shared})
	want := []string{
		`../shared/features/bad/info.yaml:2: Unknown field: There is no field "descriptin" here. Did you mean "description"?`,
		`../shared/features/early/exec.early:2: Parameter not early: exec.early gets only parameters that are early, because all packages are installed again when one of them changes. Add "early: true" to "x" in ../shared/features/early/info.yaml, or use the parameter in a later script.`,
		`../shared/features/linked/exec.late:1: Link that cannot be followed: It points to "../../../own/secret", which is not in this tree. Links are followed within the tree only, so that what is built does not depend on anything else: make it a relative link to something in the tree, or a copy.`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("said\n%s", strings.Join(got, "\n"))
	}
	if f := p.Features["linked"]; f == nil || !f.Scripts["exec.config"] {
		t.Error("a link within the used tree is not followed")
	}
}

// TestUseFaults: each wrong entry is told once, with what to write in its place; the
// features of trees that cannot be opened are not called unknown.
func TestUseFaults(t *testing.T) {
	flavour := "flavours:\n  x:\n    distribution: {suite: testing}\n    features: [base]\n"
	trees := map[string]fstest.MapFS{
		"builtin":                    files("features/base/info.yaml", plainInfo),
		"/a":                         files("features/x/info.yaml", plainInfo, "treewright.hcl", `use = ["../b"]`),
		"/b":                         files("features/y/info.yaml", plainInfo, "treewright.hcl", `use = ["../a"]`),
		"/own":                       files(),
		"/c":                         files("features/c/info.yaml", plainInfo),
		"/empty":                     files("flavours/x.hcl", ""),
		"/two":                       files("features/x/info.yaml", plainInfo, "treewright.hcl", "", "treewright.yaml", ""),
		"git+https://h/t#" + aCommit: files("features/z/info.yaml", plainInfo, "treewright.hcl", `use = ["..", "/a"]`),
	}
	for use, want := range map[string]string{
		`"builtn"`:                               `treewright.hcl:1: Cannot use tree: builtn: there is no /own/builtn. Did you mean "builtin"?`,
		`"../gone"`:                              `treewright.hcl:1: Cannot use tree: ../gone: there is no /gone.`,
		`"../empty"`:                             `treewright.hcl:1: Cannot use tree: ../empty has no directory features/: what can be used of a tree are its features.`,
		`"."`:                                    `treewright.hcl:1: Trees in a circle: A tree cannot use itself, and this is the tree itself.`,
		`"../a"`:                                 `../b/treewright.hcl:1: Trees in a circle: These trees use each other: ../a, ../b, ../a.`,
		`"../two"`:                               `../two/treewright.yaml:1: Duplicate file: There is ../two/treewright.hcl already. Put everything into one of them.`,
		`"builtin", "builtin"`:                   `treewright.hcl:1: Tree used twice: "builtin" is used already at treewright.hcl:1.`,
		`"builtin", "../c", "../c/"`:             `treewright.hcl:1: Tree used twice: "../c/" is used already at treewright.hcl:1.`,
		`"~/tree"`:                               `treewright.hcl:1: Invalid tree: "~/tree" is not a path: write one that is relative to this tree, such as ../shared, or an absolute one.`,
		`"https://h/t"`:                          `treewright.hcl:1: Invalid tree: "https://h/t" is neither "builtin", nor a path, nor a git repository, which is written as ` + gitForm + `. Did you mean "git+https://h/t"?`,
		`"git+https://h/t"`:                      `treewright.hcl:1: Not a commit: "git+https://h/t" does not say which commit: after # has to be a full commit id of 40 hexadecimal digits, as ` + "`git rev-parse HEAD`" + ` prints it. A branch or a tag can move, and another build would be made of something else.`,
		`"git+https://h/t#main"`:                 `treewright.hcl:1: Not a commit: "git+https://h/t#main" does not say which commit: after # has to be a full commit id of 40 hexadecimal digits, as ` + "`git rev-parse HEAD`" + ` prints it. A branch or a tag can move, and another build would be made of something else.`,
		`"git+https://h/t#` + aCommit + `:../x"`: `treewright.hcl:1: Invalid path: "../x" is not a directory in the repository.`,
		`"git+https://h/t#` + aCommit + `"`: `t@0123456789ab:treewright.hcl:1: Invalid path: ".." leads out of the git repository that this tree is in: use builtin, paths within the repository, or other git repositories.
t@0123456789ab:treewright.hcl:1: Invalid path: "/a" leads out of the git repository that this tree is in: use builtin, paths within the repository, or other git repositories.`,
	} {
		if _, got := summaries(t, files("treewright.hcl", "use = ["+use+"]"), trees); strings.Join(got, "\n") != want {
			t.Errorf("use = [%s]:\n%s", use, strings.Join(got, "\n"))
		}
	}
	_, got := summaries(t, files("treewright.hcl", `use = ["../gone"]`, "flavours/x.yaml", flavour), trees)
	if len(got) != 1 {
		t.Errorf("a tree that is not there: %v", got)
	}
	_, got = summaries(t, files("treewright.yaml", "uses: [builtin]\n"), trees)
	if want := []string{`treewright.yaml:1: Unknown field: There is no field "uses" here. Did you mean "use"?`}; !slices.Equal(got, want) {
		t.Errorf("an unknown field: %v", got)
	}
	for _, broken := range []string{`use = "builtin"`, `use = [1]`, `uses = ["builtin"]`, `use = [`} {
		if _, got = summaries(t, files("treewright.hcl", broken, "flavours/x.yaml", flavour), trees); len(got) != 1 || !strings.HasPrefix(got[0], "treewright.hcl:1: ") {
			t.Errorf("of %s is said %v", broken, got)
		}
	}
	// A tree without treewright.hcl: the message mentions the file.
	_, got = summaries(t, files("flavours/x.yaml", flavour), trees)
	if want := []string{`flavours/x.yaml:4: Unknown feature: There is no feature "base". Treewright has one: write use = ["builtin"] to treewright.hcl, in the directory of the tree.`}; !slices.Equal(got, want) {
		t.Errorf("without a treewright.hcl: %v", got)
	}
}
