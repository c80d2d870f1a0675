package build_test

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright"
	"github.com/treewright/treewright/builder/treetest"
)

// keysOf plans a flavour of a tree and returns the keys of its steps.
func keysOf(t *testing.T, tree, flavour string) map[string]string {
	t.Helper()
	b := open(t, tree)
	project, warnings, err := b.Load()
	if err != nil {
		t.Fatal(err)
	}
	if len(warnings) > 0 {
		t.Error(warnings)
	}
	s, err := b.Resolve(t.Context(), project, flavour)
	if err != nil {
		t.Fatal(err)
	}
	p, err := b.Prepare(t.Context(), s, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	keys := map[string]string{}
	for _, step := range p.Graph.Steps() {
		keys[step.ID] = p.Graph.Key(step.ID)
	}
	for _, f := range project.Features {
		dir, err := b.FeatureDir(f)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(dir, "info.yaml")); err != nil {
			t.Errorf("%s: %v", f.Dir, err)
		}
	}
	return keys
}

// everything is a feature with all that is read by its path, with a key of its own and
// one of its tree's.
func everything(t *testing.T, tree string) {
	treetest.Lay(t, tree, "features/all/exec.build@0755", "features/all/exec.config@0755", "features/all/exec.post@0755", "features/all/lib/link -> ../../../common/helper",
		"features/all/file.template/var/lib/empty/", "features/all/keys/", "common/helper")
	for _, script := range []string{"exec.build", "exec.config", "exec.post"} {
		treetest.Write(t, filepath.Join(tree, "features/all", script), "#!/bin/sh\n")
	}
	key, err := os.ReadFile("../../examples/vendor/keys/vendor.asc")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"features/all/keys/own.gpg", "common/tree.gpg"} {
		treetest.Write(t, filepath.Join(tree, name), string(key))
	}
	treetest.Write(t, filepath.Join(tree, "features/all/keys/own.pem"), authority)
	for name, text := range map[string]string{
		"info.yaml": "type: element\nfeatures: {include: [base]}\nsources:\n" +
			"  own: {urls: ['https://example.com/own'], suites: [trixie], keyring: keys/own.gpg, ca: keys/own.pem, components: [main], on_machine: true, packages: [a]}\n" +
			"  tree: {urls: ['http://example.org/tree'], suites: [trixie], keyring: common/tree.gpg, components: [main], on_machine: true, packages: [b]}\n",
		"file.template/etc/all": "${suite}\n",
		"debconf":               "all all/question string x\n", "pkg.include": "hello\n",
		"file.include/usr/lib/sysusers.d/all.conf": "u all - -\n",
	} {
		path := filepath.Join(tree, "features/all", name)
		treetest.Lay(t, filepath.Dir(path), filepath.Base(path))
		treetest.Write(t, path, text)
	}
}

// TestSameWhereverFeaturesComeFrom: the plans of a flavour have the same keys whether
// its features are the tree's own, part of the program, or from another tree.
func TestSameWhereverFeaturesComeFrom(t *testing.T) {
	top := t.TempDir()
	own := filepath.Join(top, "own")
	if err := os.CopyFS(own, treewright.Tree()); err != nil {
		t.Fatal(err)
	}
	all := `flavour "all" {
  extends      = "debian-testing-amd64-dev"
  add_features = ["all"]
}
`
	treetest.Write(t, filepath.Join(own, "flavours/all.hcl"), all)
	everything(t, own)
	want := keysOf(t, own, "all")
	if len(want) < 30 {
		t.Fatalf("the plan has only %v", slices.Sorted(maps.Keys(want)))
	}

	if err := os.CopyFS(filepath.Join(top, "shipped"), treewright.Tree()); err != nil {
		t.Fatal(err)
	}
	shared := treetest.Lay(t, filepath.Join(top, "shared"), "features/")
	everything(t, shared)
	git := func(args ...string) string {
		t.Helper()
		out, err := exec.Command("git", append([]string{"-C", shared, "-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false"}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	uses := map[string]string{
		"paths":   `"../shipped", "../shared"`,
		"builtin": `"builtin", "../shared"`,
	}
	if _, err := exec.LookPath("git"); err != nil {
		treetest.Skip(t, "needs git")
	}
	git("init", "-q")
	git("add", "-A")
	git("commit", "-q", "-m", "one")
	uses["git"] = `"git+file://` + shared + `#` + git("rev-parse", "HEAD") + `", "builtin"`
	for _, name := range []string{"paths", "builtin", "git"} {
		use := uses[name]
		if name == "git" {
			// It has no empty directories.
			if err := os.RemoveAll(filepath.Join(own, "features/all/file.template/var")); err != nil {
				t.Fatal(err)
			}
			want = keysOf(t, own, "all")
		}
		t.Run(name, func(t *testing.T) {
			tree := filepath.Join(top, name)
			if err := os.CopyFS(filepath.Join(tree, "flavours"), os.DirFS(filepath.Join(own, "flavours"))); err != nil {
				t.Fatal(err)
			}
			treetest.Write(t, filepath.Join(tree, "treewright.hcl"), "use = ["+use+"]\n")
			got := keysOf(t, tree, "all")
			for id := range want {
				if got[id] != want[id] {
					t.Errorf("%s has another key", id)
				}
			}
			if len(got) != len(want) {
				t.Errorf("the plan is %v", slices.Sorted(maps.Keys(got)))
			}
		})
	}
}
