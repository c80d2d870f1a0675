package stages

import (
	"bytes"
	"cmp"
	"errors"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/distro/debian"
	"github.com/treewright/treewright/builder/gardenlinux/system"
	"github.com/treewright/treewright/builder/gardenlinux/tree"
	"github.com/treewright/treewright/builder/gardenlinux/words"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/plan/plantest"
	"github.com/treewright/treewright/builder/source"
	"github.com/treewright/treewright/builder/stage"
	"github.com/treewright/treewright/builder/stage/planner"
	"github.com/treewright/treewright/builder/treefs"
)

var update = flag.Bool("update", false, "write the golden files again")

// trees are those that e2e builds for real.
const trees = "../../e2e/testdata/trees"

// planTree plans the platform of a Garden Linux tree with made-up packages.
func planTree(t *testing.T, dir, commit string) *plan.Graph {
	t.Helper()
	project, diags := tree.Load(os.DirFS(dir))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	g, diags := compose.NewGraph(slices.Collect(maps.Values(project.Features)))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	var asked []string
	for name, f := range project.Features {
		if f.Type == config.Platform {
			asked = append(asked, name)
		}
	}
	sel, err := g.Select(asked, nil)
	if err != nil {
		t.Fatal(err)
	}
	f := &config.Flavour{Name: sel.CanonicalName + "-amd64-testing", Distribution: config.Distribution{
		Family: "debian", Suite: "testing", Arch: "amd64", Mirror: "http://deb.debian.org/debian", Components: []string{"main"},
	}}
	sys, diags := system.Resolve(project, f, sel, system.Name{CName: f.Name, Version: "testing", Commit: commit, Timestamp: "0"},
		system.Features{Expand: func(lines []config.Line) ([]config.Line, hcl.Diagnostics) { return expandForTest(t, lines) }})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		t.Fatal(err)
	}
	keyring := filepath.Join(t.TempDir(), "keyring")
	if err := os.WriteFile(keyring, []byte("keys"), 0o666); err != nil {
		t.Fatal(err)
	}
	var packages planner.Packages
	packages.Base = plantest.Closure(nil, "amd64", "apt", "dpkg", "libc6")
	packages.Seed = plantest.Closure(packages.Base, "amd64", "ca-certificates")
	packages.System = plantest.Closure(packages.Seed, "amd64", namesOfWants(sys.Packages)...)
	method := Method(sys, Tree{Mirror: f.Distribution.Mirror, Suite: "testing", Keyring: keyring, TempSize: "2G"})
	wants := append(planner.ToolWants(debian.Family{}, distro.ForScripts, "amd64"), method.Tools...)
	packages.Tools = map[distro.Purpose]planner.Tools{distro.ForScripts: fakeTools(packages.Base, "amd64", wants)}
	r := planner.Request{
		Distro: debian.Family{},
		Spec:   sys.Spec, Packages: packages, Sources: source.Snapshots{Root: t.TempDir()}, Project: dir, Bootstrapper: "mmdebstrap 0", Method: method,
	}
	graph, err := stage.Plan(r)
	if err != nil {
		t.Fatal(err)
	}
	return graph
}

func expandForTest(t *testing.T, lines []config.Line) ([]config.Line, hcl.Diagnostics) {
	texts := make([]string, len(lines))
	for i, l := range lines {
		texts[i] = l.Text
	}
	expanded, err := words.Expand(t.Context(), "amd64", texts)
	if err != nil {
		t.Fatal(err)
	}
	var out []config.Line
	for i, ws := range expanded {
		for _, w := range ws {
			out = append(out, config.Line{Text: w, Range: lines[i].Range})
		}
	}
	return out, nil
}

// TestGoldenTrees plans the trees that show the rules of the Garden Linux
// builder, one each.
func TestGoldenTrees(t *testing.T) {
	entries, err := os.ReadDir(trees)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		t.Run(e.Name(), func(t *testing.T) {
			got := plantest.Golden(t, planTree(t, filepath.Join(trees, e.Name()), "local"), nil)
			name := filepath.Join("testdata/golden", e.Name()+".json")
			if *update {
				if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o777), os.WriteFile(name, got, 0o666)); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(name)
			if err != nil {
				t.Errorf("%v (write it with `make golden`)", err)
			} else if !bytes.Equal(got, want) {
				t.Errorf("%s is out of date; if the change is meant, write it with `make golden`. The first difference:\n%s", name, plantest.FirstDifference(string(got), string(want)))
			}
		})
	}
}

// changed lists the steps that have another key after a change.
func changed(before, after *plan.Graph) []string {
	var ids []string
	for _, s := range after.Steps() {
		if before.Step(s.ID) == nil || before.Key(s.ID) != after.Key(s.ID) {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

// copyTree copies a tree, with the run bits of its scripts.
func copyTree(t *testing.T, name string) string {
	t.Helper()
	from, to := filepath.Join(trees, name), filepath.Join(t.TempDir(), "tree")
	if err := treefs.LinkTree(from, to); err != nil {
		t.Fatal(err)
	}
	return to
}

// rewrite gives a file of a copied tree, whose files are links, a content of
// its own.
func rewrite(t *testing.T, path, content string) {
	t.Helper()
	info, err := os.Stat(path)
	if err == nil {
		err = os.Remove(path)
	}
	if err == nil {
		err = os.WriteFile(path, []byte(content), info.Mode())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestKeys: a change runs again what can see it, and nothing else.
func TestKeys(t *testing.T) {
	for _, tc := range []struct {
		what, tree string
		edit       func(t *testing.T, dir string)
		commit     string
		want       []string
		not        []string
	}{
		{
			what: "a file that nobody mentions", tree: "chain",
			edit: func(t *testing.T, dir string) {
				rewrite(t, filepath.Join(dir, "requirements.defs"), "requirements[x]=y\n")
			},
			want: []string{"artifacts/requirements"}, not: []string{"artifacts/tar", "artifacts/manifest", "artifacts/first", "artifacts/last"},
		}, {
			what: "another feature, for a script that mentions /builder", tree: "phases",
			edit: func(t *testing.T, dir string) {
				rewrite(t, filepath.Join(dir, "features/apart/note"), "changed\n")
			},
			want: []string{"rootfs/exec.late/second", "artifacts/tar"},
			not:  []string{"rootfs/exec.early/first", "rootfs/exec.late/first", "rootfs/install-system"},
		}, {
			what: "the layout", tree: "layout",
			edit: func(t *testing.T, dir string) {
				rewrite(t, filepath.Join(dir, "features/a/fstab"), "LABEL=ROOT / ext4 rw\n")
			},
			want: []string{"artifacts/raw"}, not: []string{"artifacts/tar", "artifacts/sbom"},
		}, {
			what: "the commit", tree: "phases",
			commit: "another",
			want:   []string{"rootfs/exec.config/first", "artifacts/copy"},
			not:    []string{"rootfs/exec.early/first", "rootfs/exec.early/second", "tools/install-script-tools"},
		}, {
			what: "the commit, for an image without scripts", tree: "files",
			commit: "another",
			want:   []string{"artifacts/copy"}, not: []string{"artifacts/tar", "artifacts/release", "artifacts/requirements"},
		},
	} {
		t.Run(tc.what, func(t *testing.T) {
			before := planTree(t, filepath.Join(trees, tc.tree), "local")
			dir := copyTree(t, tc.tree)
			if got := changed(before, planTree(t, dir, "local")); len(got) > 0 {
				t.Errorf("a copy of the tree has other keys: %v", got)
			}
			if tc.edit != nil {
				tc.edit(t, dir)
			}
			got := changed(before, planTree(t, dir, cmp.Or(tc.commit, "local")))
			for _, id := range tc.want {
				if !slices.Contains(got, id) {
					t.Errorf("%s is not made again", id)
				}
			}
			for _, id := range tc.not {
				if slices.Contains(got, id) {
					t.Errorf("%s is made again", id)
				}
			}
		})
	}
}
