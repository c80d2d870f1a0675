package stage

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/distro/debian"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/plan/plantest"
	"github.com/treewright/treewright/builder/source"
	"github.com/treewright/treewright/builder/stage/commit"
	"github.com/treewright/treewright/builder/stage/planner"
	"github.com/treewright/treewright/builder/stage/rootfs"
	"github.com/treewright/treewright/builder/task"
	"github.com/treewright/treewright/builder/treetest"
)

var update = flag.Bool("update", false, "write the golden files again")

func namesOfWants(wants []compose.Want) []string {
	var out []string
	for _, w := range wants {
		out = append(out, w.Name)
	}
	return out
}

// fakePackages stands in for the resolver: every package has no dependencies.
func fakePackages(spec *compose.Spec) planner.Packages {
	arch := spec.Flavour.Distribution.Arch
	p := planner.Packages{
		Base:  plantest.Closure(nil, arch, "apt", "dpkg", "libc6"),
		Tools: map[distro.Purpose]planner.Tools{}, Build: map[string]*distro.Closure{}, Extensions: map[string]*distro.Closure{},
	}
	p.System = plantest.Closure(p.Base, arch, namesOfWants(spec.Packages)...)
	for _, need := range planner.Needs(spec, Flavours(), debian.Family{}) {
		p.Tools[need.Purpose] = fakeTools(p.Base, arch, need.Wants)
		if need.Purpose == distro.ForImage && spec.Flavour.Distribution.Suite != "testing" {
			// Only testing has a boot loader that will do.
			p.Tools[need.Purpose] = fakeTools(p.Base, arch, debian.Family{}.Tools(distro.ForImage, arch))
			from := &planner.Origin{Suite: "testing", Arch: arch, Base: plantest.Closure(nil, arch, "apt", "dpkg", "libc6", "libnew")}
			loader := fakeTools(from.Base, arch, debian.Family{}.Tools(distro.ForBootLoader, arch))
			loader.From = from
			p.Tools[distro.ForBootLoader] = loader
		}
	}
	for feature, wants := range spec.BuildPackages {
		p.Build[feature] = plantest.Closure(p.Base, arch, namesOfWants(wants)...)
	}
	for _, e := range spec.Extensions {
		p.Extensions[e.Name] = plantest.Closure(p.System, arch, namesOfWants(e.Packages)...)
	}
	return p
}

func fakeTools(base *distro.Closure, arch string, wants []distro.Want) planner.Tools {
	var names []string
	for _, w := range wants {
		names = append(names, w.Name)
	}
	return planner.Tools{Wants: wants, Packages: plantest.Closure(base, arch, names...)}
}

// planFlavour plans a flavour of the project with made-up packages.
func planFlavour(t *testing.T, dir string, project *config.Project, f *config.Flavour, change func(*planner.Request)) *plan.Graph {
	t.Helper()
	spec, diags := compose.Resolve(project, f)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	r := requestOf(t, dir, spec)
	if change != nil {
		change(&r)
	}
	g, err := Plan(r)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// requestOf asks for the plan of a spec, with made-up packages.
func requestOf(t *testing.T, dir string, spec *compose.Spec) planner.Request {
	t.Helper()
	dir, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	return planner.Request{
		Distro: debian.Family{}, Method: Flavours(),
		Spec: spec, Packages: fakePackages(spec), Sources: source.Snapshots{Root: t.TempDir()}, Project: dir, Bootstrapper: "mmdebstrap 0",
		Fetch: distro.FetchHints{Mirrors: map[string][]string{distro.MainSource: {spec.Flavour.Distribution.Mirror}}, Cache: "/cache"},
	}
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

// withParameters returns a function that plans a shipped flavour with parameters of ostreeRepo.
func withParameters(t *testing.T) func(set map[string]any) (*plan.Graph, *compose.Spec) {
	t.Helper()
	project := loadProject(t, treetest.Shipped(t))
	i := slices.IndexFunc(project.Flavours, func(f *config.Flavour) bool { return f.Name == "debian-trixie-amd64-ostree" })
	if i < 0 {
		t.Fatal("the flavour is gone")
	}
	return func(set map[string]any) (g *plan.Graph, spec *compose.Spec) {
		g = planFlavour(t, treetest.Shipped(t), project, project.Flavours[i], func(r *planner.Request) {
			spec = r.Spec
			for name, value := range set {
				if have := spec.Parameters["ostreeRepo"][name].Any; have == nil || have == value {
					t.Errorf("%s is %v without being set", name, have)
				}
				spec.Parameters["ostreeRepo"][name] = compose.Value{Any: value}
			}
			r.Packages = fakePackages(spec)
		})
		return g, spec
	}
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

// TestStepsOfFeatures: StepsOf, which plans nothing, returns the steps of features that
// are planned.
func TestStepsOfFeatures(t *testing.T) {
	dir := treetest.Shipped(t)
	project := loadProject(t, dir)
	for _, f := range project.Flavours {
		spec, diags := compose.Resolve(project, f)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		known := map[string]bool{}
		add := func(c rootfs.Composition, features []*config.Feature) {
			for _, feature := range features {
				for _, id := range c.StepsOf(feature, len(spec.Generated[feature.Name]) > 0) {
					known[id] = true
				}
			}
		}
		add(rootfs.Composition{Stage: "rootfs", Name: "system"}, spec.Features)
		for _, e := range spec.Extensions {
			add(rootfs.Composition{Stage: "extension", Name: e.Name}, e.Features)
		}
		planned := map[string]bool{}
		for _, s := range planFlavour(t, dir, project, f, nil).Steps() {
			name := path.Base(s.ID)
			if strings.Count(s.ID, "/") > 1 && name != config.FlavourFeature && project.Features[name] != nil {
				planned[s.ID] = true
			}
		}
		if !maps.Equal(known, planned) || len(planned) == 0 {
			t.Errorf("%s: known are %v, planned %v", f.Name, slices.Sorted(maps.Keys(known)), slices.Sorted(maps.Keys(planned)))
		}
	}
}

// TestGoldenPlans plans every flavour of the project itself, so that a review
// shows what a change does to the steps of all of them.
//
//	make golden
func TestGoldenPlans(t *testing.T) {
	project := loadProject(t, treetest.Shipped(t))
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
		got := goldenOf(t, planFlavour(t, treetest.Shipped(t), project, f, nil))
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
		if err := os.CopyFS(filepath.Join(copied, sub), os.DirFS(filepath.Join(treetest.Shipped(t), sub))); err != nil {
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
	here, there := loadProject(t, treetest.Shipped(t)), loadProject(t, copied)
	for i, f := range here.Flavours {
		a := planFlavour(t, treetest.Shipped(t), here, f, nil)
		b := planFlavour(t, copied, there, there.Flavours[i], func(r *planner.Request) {
			r.Fetch = distro.FetchHints{Mirrors: map[string][]string{distro.MainSource: {"http://mirror.example"}}, Cache: "/other", Proxies: [][2]string{{"Acquire::http::Proxy", "http://proxy"}}}
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
	project := loadProject(t, treetest.Shipped(t))
	used := map[string]bool{}
	for _, f := range project.Flavours {
		for _, s := range planFlavour(t, treetest.Shipped(t), project, f, nil).Steps() {
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
