package stage

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/account"
	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/distro/debian"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/plan/plantest"
	"github.com/treewright/treewright/builder/source"
	"github.com/treewright/treewright/builder/stage/commit"
	"github.com/treewright/treewright/builder/task"
)

var update = flag.Bool("update", false, "write the golden files anew")

func namesOfWants(wants []compose.Want) []string {
	var out []string
	for _, w := range wants {
		out = append(out, w.Name)
	}
	return out
}

// fakePackages stands in for the resolver: every package has no dependencies.
func fakePackages(spec *compose.Spec) Packages {
	arch := spec.Flavour.Distribution.Arch
	p := Packages{
		Base:  plantest.Closure(nil, arch, "apt", "dpkg", "libc6"),
		Tools: map[distro.Purpose]Tools{}, Build: map[string]*distro.Closure{}, Extensions: map[string]*distro.Closure{},
	}
	p.System = plantest.Closure(p.Base, arch, namesOfWants(spec.Packages)...)
	for _, purpose := range Purposes(spec, Flavours()) {
		p.Tools[purpose] = fakeTools(p.Base, arch, ToolWants(debian.Family{}, purpose, arch))
	}
	for feature, wants := range spec.BuildPackages {
		p.Build[feature] = plantest.Closure(p.Base, arch, namesOfWants(wants)...)
	}
	for _, e := range spec.Extensions {
		p.Extensions[e.Name] = plantest.Closure(p.System, arch, namesOfWants(e.Packages)...)
	}
	return p
}

func fakeTools(base *distro.Closure, arch string, wants []distro.Want) Tools {
	var names []string
	for _, w := range wants {
		names = append(names, w.Name)
	}
	return Tools{Wants: wants, Packages: plantest.Closure(base, arch, names...)}
}

// planFlavour plans a flavour of the project with made-up packages.
func planFlavour(t *testing.T, dir string, project *config.Project, f *config.Flavour, change func(*Request)) *plan.Graph {
	t.Helper()
	spec, diags := compose.Resolve(project, f)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	r := Request{
		Distro: debian.Family{}, Recipe: Flavours(),
		Spec: spec, Packages: fakePackages(spec), Sources: source.Snapshots{Root: t.TempDir()}, Project: dir, Bootstrapper: "mmdebstrap 0",
		Fetch: distro.FetchHints{Mirror: f.Distribution.Mirror, Cache: "/cache"},
	}
	if change != nil {
		change(&r)
	}
	g, err := Plan(r)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func loadProject(t *testing.T, dir string) *config.Project {
	t.Helper()
	p, diags := config.Load(os.DirFS(dir), config.Options{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if len(p.Flavours) == 0 {
		t.Fatalf("no flavours in %s", dir)
	}
	return p
}

// goldenOf is a plan as a golden file shows it.
func goldenOf(t *testing.T, g *plan.Graph) []byte {
	t.Helper()
	return plantest.Golden(t, g, func(s *plan.Step) json.RawMessage {
		if s.Action == "ostree-commit" {
			// The recipe is made of keys, which change with everything.
			p, err := commit.Action.Params(s)
			if err != nil {
				t.Fatal(err)
			}
			if len(p.Metadata[ostree.RecipeKey]) != 64 {
				t.Errorf("the commit has no recipe but %q", p.Metadata[ostree.RecipeKey])
			}
			p.Metadata[ostree.RecipeKey] = "..."
			return commit.Action.Step(p, plan.Step{}).Params
		}
		return s.Params
	})
}

// TestGoldenPlans plans every flavour of the project itself, so that a review
// shows what a change does to the steps of all of them.
//
//	make golden
func TestGoldenPlans(t *testing.T) {
	project := loadProject(t, "../..")
	const dir = "testdata/golden"
	if *update {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	files := map[string]bool{}
	for _, f := range project.Flavours {
		got := goldenOf(t, planFlavour(t, "../..", project, f, nil))
		name := filepath.Join(dir, f.Name+".json")
		files[name] = true
		if *update {
			if err := os.WriteFile(name, got, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Errorf("%v (write it with `make golden`)", err)
		} else if !bytes.Equal(got, want) {
			t.Errorf("%s is out of date; if the change is meant, write it with `make golden`. The first difference:\n%s", name, plantest.FirstDifference(string(got), string(want)))
		}
	}
	present, err := filepath.Glob(dir + "/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range present {
		if !files[name] {
			t.Errorf("%s is of no flavour", name)
		}
	}
}

// TestKeysKnowNothingOfTheHost plans the same flavour as another user would:
// with other places, another mirror for the same files, other permissions for
// the group.
func TestKeysKnowNothingOfTheHost(t *testing.T) {
	copied := filepath.Join(t.TempDir(), "elsewhere")
	for _, sub := range []string{"features", "flavours"} {
		if err := os.MkdirAll(copied, 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(filepath.Join(copied, sub), os.DirFS(filepath.Join("../..", sub))); err != nil {
			t.Fatal(err)
		}
	}
	// As a clone with umask 0002 has it.
	err := filepath.WalkDir(copied, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.Type()&os.ModeSymlink != 0 {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		return os.Chmod(path, info.Mode().Perm()|info.Mode().Perm()>>3&0o020|0o020)
	})
	if err != nil {
		t.Fatal(err)
	}
	here, there := loadProject(t, "../.."), loadProject(t, copied)
	for i, f := range here.Flavours {
		a := planFlavour(t, "../..", here, f, nil)
		b := planFlavour(t, copied, there, there.Flavours[i], func(r *Request) {
			r.Fetch = distro.FetchHints{Mirror: "http://mirror.example", Cache: "/other", Proxies: [][2]string{{"Acquire::http::Proxy", "http://proxy"}}}
		})
		if !slices.Equal(idsOf(a), idsOf(b)) {
			t.Fatalf("%s: other steps: %v and %v", f.Name, idsOf(a), idsOf(b))
		}
		for _, s := range a.Steps() {
			if a.Key(s.ID) != b.Key(s.ID) {
				t.Errorf("%s: the key of %s depends on the host", f.Name, s.ID)
			}
		}
	}
}

func idsOf(g *plan.Graph) []string {
	var ids []string
	for _, s := range g.Steps() {
		ids = append(ids, s.ID)
	}
	return ids
}

// TestActionsHaveNamesOfTheirOwn: a step's action is found by its name.
func TestActionsHaveNamesOfTheirOwn(t *testing.T) {
	known := map[string]bool{}
	for _, a := range Actions {
		if known[a.Name()] || a.Name() == "" {
			t.Errorf("two actions are called %q", a.Name())
		}
		known[a.Name()] = true
	}
}

// TestEveryStepHasItsAction: what is planned can be carried out.
func TestEveryStepHasItsAction(t *testing.T) {
	project := loadProject(t, "../..")
	used := map[string]bool{}
	for _, f := range project.Flavours {
		for _, s := range planFlavour(t, "../..", project, f, nil).Steps() {
			if !slices.ContainsFunc(Actions, func(a task.Doer) bool { return a.Name() == s.Action }) {
				t.Errorf("%s: step %s wants the action %q, which there is not", f.Name, s.ID, s.Action)
			}
			if s.Title == "" || s.Stage == "" || s.Arch == "" {
				t.Errorf("%s: step %s lacks a title, a stage or an architecture", f.Name, s.ID)
			}
			used[s.Action] = true
		}
	}
	for _, core := range []string{"fetch", "bootstrap", "install", "script", "files", "ostree-tree", "ostree-commit", "archive"} {
		if !used[core] {
			t.Errorf("no flavour has a step with the action %q", core)
		}
	}
}

// TestWhatAChangeRepeats edits one thing at a time and looks at which keys
// change: what lies below must stay.
func TestWhatAChangeRepeats(t *testing.T) {
	const flavour = "debian-testing-amd64-ostree"
	plans := func(edit func(dir string)) *plan.Graph {
		dir := filepath.Join(t.TempDir(), "tree")
		for _, sub := range []string{"features", "flavours"} {
			if err := os.MkdirAll(dir, 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.CopyFS(filepath.Join(dir, sub), os.DirFS(filepath.Join("../..", sub))); err != nil {
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
		"what exec.early is not told of": {
			set("hostname = \"x\"\nuser = \"anna\"\nuser_keys = [\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKqgVExFJZUluKoY9AArwJ97e1Sfx819/ZCv901E86mI\"]"),
			[]string{"rootfs/exec.config/base", "commit/tree"},
			[]string{"packages/system", "rootfs/exec.early/base", "rootfs/install-system"},
		},
		"what exec.early is told of": {
			set("docs = true"),
			[]string{"rootfs/exec.early/base", "rootfs/install-system", "rootfs/exec.config/base"},
			[]string{"packages/base", "rootfs/bootstrap", "tools/install-commit-tools"},
		},
		"a README": {add("base/README.md", "x\n"), nil, idsOf(before)},
		"a test":   {add("base/test/new", "x\n"), nil, idsOf(before)},
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
	project := loadProject(t, "../..")
	i := slices.IndexFunc(project.Flavours, func(f *config.Flavour) bool { return f.Name == "debian-testing-amd64-ostree" })
	if i < 0 {
		t.Fatal("the flavour is gone")
	}
	old, head := strings.Repeat("1", 64), strings.Repeat("2", 64)
	made := map[string]string{} // key -> commit
	commitOf := func(h ostree.History) (string, commit.Params, commit.Hints) {
		g := planFlavour(t, "../..", project, project.Flavours[i], func(r *Request) {
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
