package stage

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/account"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/stage/commit"
	"github.com/treewright/treewright/builder/stage/planner"
	"github.com/treewright/treewright/builder/treetest"
)

// TestWhatAChangeRepeats edits one thing at a time and looks at which keys
// change: what is below must stay.
func TestWhatAChangeRepeats(t *testing.T) {
	const flavour = "debian-testing-amd64-ostree"
	plans := func(edit func(dir string)) *plan.Graph {
		dir := filepath.Join(t.TempDir(), "tree")
		for _, sub := range []string{"features", "flavours"} {
			if err := os.MkdirAll(dir, 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.CopyFS(filepath.Join(dir, sub), os.DirFS(filepath.Join(treetest.Shipped(t), sub))); err != nil {
				t.Fatal(err)
			}
		}
		if edit != nil {
			edit(dir)
		}
		p := loadProject(t, dir)
		for _, f := range p.Flavours {
			if f.Name == flavour {
				return planFlavour(t, dir, p, f, nil)
			}
		}
		t.Fatalf("no flavour %s", flavour)
		return nil
	}
	add := func(file, text string) func(string) {
		return func(dir string) {
			f, err := os.OpenFile(filepath.Join(dir, "features", file), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o755)
			if err == nil {
				_, err = f.WriteString(text)
			}
			if err == nil {
				err = f.Close()
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	set := func(settings string) func(string) {
		return func(dir string) {
			file := filepath.Join(dir, "flavours", flavour+".hcl")
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			text = []byte(strings.Replace(string(text), `set "ostreeRepo"`, "set \"base\" {\n"+settings+"\n}\n\nset \"ostreeRepo\"", 1))
			if err := os.WriteFile(file, text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	before := plans(nil)
	for name, tc := range map[string]struct {
		edit            func(string)
		changes, leaves []string
	}{
		"a script": {
			add("podman/exec.config", "# changed\n"),
			[]string{"rootfs/exec.config/podman", "commit/initramfs", "commit/tree", "commit/commit", "commit/archive"},
			[]string{"packages/base", "rootfs/bootstrap", "rootfs/install-system", "rootfs/file.include/base", "tools/install-commit-tools"},
		},
		"a package": {
			add("podman/pkg.include", "sl\n"),
			[]string{"packages/system", "rootfs/install-system", "rootfs/exec.config/base", "commit/tree"},
			[]string{"packages/base", "rootfs/bootstrap", "rootfs/exec.early/base", "tools/install-image-tools", "packages/image-tools"},
		},
		"a file": {
			add("base/file.include/etc/new", "x\n"),
			[]string{"rootfs/file.include/base", "rootfs/exec.config/base", "commit/tree"},
			[]string{"rootfs/install-system", "rootfs/exec.early/base"},
		},
		"what exec.early does not get": {
			set("hostname = \"x\"\nuser = \"anna\"\nuser_keys = [\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKqgVExFJZUluKoY9AArwJ97e1Sfx819/ZCv901E86mI\"]"),
			[]string{"rootfs/exec.config/base", "commit/tree"},
			[]string{"packages/system", "rootfs/exec.early/base", "rootfs/install-system"},
		},
		"what exec.early gets": {
			set("docs = true"),
			[]string{"rootfs/exec.early/base", "rootfs/install-system", "rootfs/exec.config/base"},
			[]string{"packages/base", "rootfs/bootstrap", "tools/install-commit-tools"},
		},
		"a README": {add("base/README.md", "x\n"), nil, idsOf(before)},
		"a test":   {add("base/test/new", "#!/bin/sh\n"), nil, idsOf(before)},
	} {
		after := plans(tc.edit)
		for _, id := range append(slices.Clone(tc.changes), tc.leaves...) {
			if before.Step(id) == nil || after.Step(id) == nil {
				t.Errorf("%s: there is no step %s", name, id)
			}
		}
		if t.Failed() {
			t.Logf("steps: %v", idsOf(after))
			return
		}
		for _, id := range tc.changes {
			if before.Key(id) == after.Key(id) {
				t.Errorf("%s changed, and %s does not run again", name, id)
			}
		}
		for _, id := range tc.leaves {
			if before.Key(id) != after.Key(id) {
				t.Errorf("%s changed, and %s runs again for nothing", name, id)
			}
		}
	}
}

// TestCommitIsItsOwnParent: a build with no change must find the commit step
// it ran last time, although the head has moved to that very commit. If the
// result is not at hand, or is another commit, what is made follows the head.
func TestCommitIsItsOwnParent(t *testing.T) {
	project := loadProject(t, treetest.Shipped(t))
	i := slices.IndexFunc(project.Flavours, func(f *config.Flavour) bool { return f.Name == "debian-testing-amd64-ostree" })
	if i < 0 {
		t.Fatal("the flavour is gone")
	}
	old, head := strings.Repeat("1", 64), strings.Repeat("2", 64)
	made := map[string]string{} // key -> commit
	commitOf := func(h ostree.History) (string, commit.Params, commit.Hints) {
		g := planFlavour(t, treetest.Shipped(t), project, project.Flavours[i], func(r *planner.Request) {
			r.History, r.Made = h, func(key string) string { return made[key] }
		})
		var p commit.Params
		var hints commit.Hints
		step := g.Step("commit/commit")
		if err := errors.Join(json.Unmarshal(step.Params, &p), json.Unmarshal(step.Hints, &hints)); err != nil {
			t.Fatal(err)
		}
		return g.Key("commit/commit"), p, hints
	}
	for name, first := range map[string]ostree.History{"first commit": {}, "second commit": {Repo: "/r", Head: old, Recipe: "another"}} {
		key, p, hints := commitOf(first)
		if p.Parent != first.Head || hints.Again {
			t.Errorf("%s: parent %q, want %q", name, p.Parent, first.Head)
		}
		now := ostree.History{Repo: "/r", Head: head, Recipe: p.Metadata[ostree.RecipeKey], Parent: first.Head}
		made[key] = head
		if again, q, _ := commitOf(now); again != key || q.Parent != first.Head {
			t.Errorf("%s: with no change the commit step runs again", name)
		}
		for what, commit := range map[string]string{"gone": "", "another commit": old} {
			made[key] = commit
			again, q, hints := commitOf(now)
			if again == key || q.Parent != head || !hints.Again {
				t.Errorf("%s: with its result %s, the head is replaced: parent %q, made again: %v", name, what, q.Parent, hints.Again)
			}
			// That one's result is found in turn, whether it is the head or follows it.
			made[again] = head
			if third, _, _ := commitOf(now); third != again {
				t.Errorf("%s: the head that stayed is not found", name)
			}
			made[again] = strings.Repeat("3", 64)
			if third, _, _ := commitOf(ostree.History{Repo: "/r", Head: made[again], Recipe: q.Metadata[ostree.RecipeKey], Parent: head}); third != again {
				t.Errorf("%s: the commit that followed is not found", name)
			}
			delete(made, again)
		}
		other, _, _ := commitOf(ostree.History{Repo: "/r", Head: head, Recipe: "another", Parent: first.Head})
		if other == key {
			t.Errorf("%s: on top of somebody else's commit it is the same step", name)
		}
	}
	// The first commit brings a ledger, which the build of it did not have.
	numbers := account.Ledger{Users: map[string]uint32{"redis": 500}}
	key, p, _ := commitOf(ostree.History{})
	now := ostree.History{Repo: "/r", Head: old, Recipe: p.Metadata[ostree.RecipeKey], Accounts: numbers}
	made[key] = old
	if again, _, _ := commitOf(now); again != key {
		t.Error("the ledger of the newest commit makes the build of that commit run again")
	}
	made[key] = ""
	if again, q, hints := commitOf(now); again == key || q.Parent != old || !hints.Again || q.Metadata[ostree.RecipeKey] == p.Metadata[ostree.RecipeKey] {
		t.Error("what follows the newest commit does not keep its numbers")
	}
	if other, _, _ := commitOf(ostree.History{Repo: "/r", Head: old, Recipe: "another", Accounts: numbers}); other == key {
		t.Error("the ledger of the newest commit does not count in what follows it")
	}
	if keys := slices.Collect(maps.Keys(map[string]bool{ostree.RecipeKey: true, commit.FlavourKey: true, commit.FeaturesKey: true, commit.PackagesKey: true})); len(keys) != 4 {
		t.Error("two keys of the metadata have one name")
	}
}
