package stage

import (
	"bytes"
	"cmp"
	"errors"
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
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/source"
	"github.com/treewright/treewright/builder/treefs"
)

// foreignTrees are the trees that e2e builds for real.
const foreignTrees = "../e2e/testdata/trees"

// planTarget plans the platform of a foreign tree with made-up packages.
func planTarget(t *testing.T, dir, commit string) *plan.Graph {
	t.Helper()
	project, diags := config.LoadForeign(os.DirFS(dir))
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
	f := &config.Flavour{Name: sel.CNameBase + "-amd64-testing", Distribution: config.Distribution{
		Family: "debian", Suite: "testing", Arch: "amd64", Mirror: "http://deb.debian.org/debian", Components: []string{"main"},
	}}
	spec, diags := compose.ResolveTarget(project, f, sel, compose.Target{CName: f.Name, Version: "testing", Commit: commit, Timestamp: "0"},
		func(lines []config.Line) ([]config.Line, hcl.Diagnostics) { return expandForTest(t, lines) })
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
	packages := fakePackages(spec)
	packages.Seed = fakeClosure(packages.Base, "amd64", "ca-certificates")
	packages.System = fakeClosure(packages.Seed, "amd64", namesOfWants(spec.Packages)...)
	packages.Tools[distro.ForScripts] = fakeTools(packages.Base, "amd64", ScriptTools(debian.Family{}, "amd64"))
	r := Request{
		Distro: debian.Family{},
		Spec:   spec, Packages: packages, Sources: source.Snapshots{Root: t.TempDir()}, Project: dir, Bootstrapper: "mmdebstrap 0",
		Tree: Tree{Mirror: f.Distribution.Mirror, Suite: "testing", Keyring: keyring, TempSize: "2G"},
	}
	graph, err := Plan(r)
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
	words, err := debian.ExpandWords(t.Context(), "amd64", texts)
	if err != nil {
		t.Fatal(err)
	}
	var out []config.Line
	for i, ws := range words {
		for _, w := range ws {
			out = append(out, config.Line{Text: w, Range: lines[i].Range})
		}
	}
	return out, nil
}

// TestGoldenTargets plans the trees that show the rules of the Garden Linux
// builder, one each.
func TestGoldenTargets(t *testing.T) {
	entries, err := os.ReadDir(foreignTrees)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		t.Run(e.Name(), func(t *testing.T) {
			got := goldenOf(t, planTarget(t, filepath.Join(foreignTrees, e.Name()), "local"))
			name := filepath.Join("testdata/golden-targets", e.Name()+".json")
			if *update {
				if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o777), os.WriteFile(name, got, 0o666)); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(name)
			if err != nil {
				t.Errorf("%v (write it with `make golden`)", err)
			} else if !bytes.Equal(got, want) {
				t.Errorf("%s is out of date; if the change is meant, write it with `make golden`. The first difference:\n%s", name, firstDifference(string(got), string(want)))
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
	from, to := filepath.Join(foreignTrees, name), filepath.Join(t.TempDir(), "tree")
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

// TestTargetKeys: a change runs again what can see it, and nothing else.
func TestTargetKeys(t *testing.T) {
	for _, tc := range []struct {
		what, tree string
		edit       func(t *testing.T, dir string)
		commit     string
		want       []string
		not        []string
	}{
		{
			what: "a file that nobody speaks of", tree: "chain",
			edit: func(t *testing.T, dir string) {
				rewrite(t, filepath.Join(dir, "requirements.defs"), "requirements[x]=y\n")
			},
			want: []string{"artifacts/requirements"}, not: []string{"artifacts/tar", "artifacts/manifest", "artifacts/first", "artifacts/last"},
		}, {
			what: "another feature, for a script that speaks of /builder", tree: "phases",
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
			before := planTarget(t, filepath.Join(foreignTrees, tc.tree), "local")
			dir := copyTree(t, tc.tree)
			if got := changed(before, planTarget(t, dir, "local")); len(got) > 0 {
				t.Errorf("a copy of the tree has other keys: %v", got)
			}
			if tc.edit != nil {
				tc.edit(t, dir)
			}
			got := changed(before, planTarget(t, dir, cmp.Or(tc.commit, "local")))
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
