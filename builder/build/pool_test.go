package build

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/distro/debian"
	"github.com/treewright/treewright/builder/distro/debian/debtest"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/treetest"
)

// pooledTree is a tree with the flavour x, which has commits and a pool, and whose archive moves on.
type pooledTree struct {
	t       *testing.T
	dir     string
	own     *debtest.Repo
	suite   *debtest.Suite
	sink    *recorder
	cache   string
	offline bool
}

func newPooledTree(t *testing.T, pool ...string) *pooledTree {
	t.Helper()
	p := &pooledTree{t: t, dir: t.TempDir(), cache: t.TempDir()}
	p.suite = &debtest.Suite{Name: "trixie"}
	p.packages("1")
	p.own = debtest.New(t, p.suite)
	treetest.WriteAll(t, p.dir, map[string]string{
		"features/base/info.yaml":   "description: base\ntype: platform\n",
		"features/base/pkg.include": "lib\n",
		"features/repo/info.yaml": "description: repo\ntype: element\nstage: commit\nparameters:\n  os_name: {default: x}\n  ref: {default: main}\n  remote_name: {default: main}\n" +
			"  bill_of_materials: {type: bool, default: false}\n  pool: {type: list, default: []}\n",
	})
	p.setPool(pool...)
	return p
}

// setPool writes the flavour. The first package of the pool is in line 10.
func (p *pooledTree) setPool(pool ...string) {
	p.t.Helper()
	var lines []string
	for _, name := range pool {
		lines = append(lines, fmt.Sprintf("      %q,\n", name))
	}
	treetest.WriteAll(p.t, p.dir, map[string]string{"flavours/x.hcl": fmt.Sprintf("flavour \"x\" {\n  features = [\"base\", \"repo\"]\n  distribution {\n    suite   = \"trixie\"\n    mirror  = %q\n    keyring = %q\n  }\n"+
		"  set \"repo\" {\n    pool = [\n%s    ]\n  }\n}\n", p.own.FileURL(), p.own.Key.Keyring, strings.Join(lines, ""))})
}

// packages gives the archive the packages of a version, and removes all others. Each needs the version of the others.
func (p *pooledTree) packages(version string) {
	pkg := func(name string, fields ...string) debtest.Package {
		d := debtest.Package{Name: name, Version: version, Arch: "amd64", Fields: map[string]string{}}
		for i := 0; i < len(fields); i += 2 {
			d.Fields[fields[i]] = strings.ReplaceAll(fields[i+1], "VERSION", version)
		}
		return d
	}
	p.suite.Packages = append(debtest.Base(),
		pkg("lib"), pkg("jq", "Depends", "lib (>= VERSION), libjq (>= VERSION)"), pkg("libjq", "Depends", "lib (>= VERSION)"), pkg("other"),
		pkg("exim", "Conflicts", "postfix"), pkg("postfix", "Conflicts", "exim"), pkg("half", "Depends", "nothing-like-it"), pkg("linux-image-amd64"))
	for _, purpose := range []distro.Purpose{distro.ForCommit, distro.ForModules, distro.ForExtension} {
		for _, w := range (debian.Family{}).Tools(purpose, "amd64") {
			if !slices.ContainsFunc(p.suite.Packages, func(d debtest.Package) bool { return d.Name == w.Name }) {
				p.suite.Packages = append(p.suite.Packages, debtest.Package{Name: w.Name, Version: "3000." + version})
			}
		}
	}
}

// moveOn gives the archive other versions, and removes the old ones.
func (p *pooledTree) moveOn() {
	p.t.Helper()
	p.packages("2")
	p.own.Publish(p.t)
}

// open returns a builder, and the flavour.
func (p *pooledTree) open() (*Builder, *Subject) {
	p.t.Helper()
	p.sink = &recorder{}
	b, err := Open(Options{Tree: p.dir, Cache: p.cache, Output: filepath.Join(p.dir, ".build"), Offline: p.offline, Backend: &Backend{
		Families: distro.Families{direct{}}, Arch: "amd64",
		Host: func(context.Context, distro.Distro, event.Sink) (string, error) { return "none", nil },
	}})
	if err != nil {
		p.t.Fatal(err)
	}
	project, _, err := b.Load()
	if err != nil {
		p.t.Fatal(err)
	}
	s, err := b.Resolve(p.t.Context(), project, "x")
	if err != nil {
		p.t.Fatal(err)
	}
	return b, s
}

func (p *pooledTree) prepare() (*Prepared, error) {
	p.t.Helper()
	b, s := p.open()
	made, err := b.Prepare(p.t.Context(), s, p.sink)
	if err == nil {
		p.t.Cleanup(made.Close)
	}
	return made, err
}

func bare(packages []distro.Archived) []string {
	names := []string{}
	for _, p := range packages {
		names = append(names, p.Name+" "+p.Version)
	}
	return names
}

// TestPoolOfAFlavour: the pool has the packages that can be added to the system, with their dependencies. Packages that cannot be added
// are reported with their line.
func TestPoolOfAFlavour(t *testing.T) {
	p := newPooledTree(t, "jq", "exim", "postfix", "half", "linux-image-amd64", "lib")
	made, err := p.prepare()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := bare(made.pool()), []string{"exim 1", "jq 1", "libjq 1", "postfix 1"}; !slices.Equal(got, want) {
		t.Errorf("the pool has %v, want %v", got, want)
	}
	said := strings.Join(p.sink.lines, "\n")
	for _, want := range []string{
		"flavours/x.hcl:13: the pool does not have half: apt says:\n", "nothing-like-it",
		"flavours/x.hcl:14: the pool does not have linux-image-amd64: it brings a kernel (linux-image-amd64)",
		"flavours/x.hcl:15: the system has lib, so the pool does not need it",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not said:\n%s", want, said)
		}
	}
	if strings.Count(said, "the pool does not have") != 2 {
		t.Errorf("more is said to be missing:\n%s", said)
	}
	if m := made.manifest(); len(m.Pool) != 4 || m.Pool[1].Name != "jq" || m.Pool[1].SHA256 == "" {
		t.Errorf("the manifest has the pool %v", m.Pool)
	}
	step := made.Graph.Step("packages/pool")
	if step == nil {
		t.Fatal("nothing is downloaded")
	}
	p.setPool()
	without, err := p.prepare()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range made.Graph.Steps() {
		if s.ID != "packages/pool" && made.Graph.Key(s.ID) != without.Graph.Key(s.ID) {
			t.Errorf("the key of %s depends on the pool", s.ID)
		}
	}
	// A mistyped name is a fault, as it is in a list of packages.
	p.setPool("other", "libjk")
	_, err = p.prepare()
	var faults *diag.Faults
	if !errors.As(err, &faults) || len(faults.List) != 1 || faults.List[0].Subject.Start.Line != 11 || !strings.Contains(faults.List[0].Detail, `Did you mean "libjq"?`) {
		t.Errorf("error %v", err)
	}
}

// TestLockedPool: a lock has the pool, and the packages that it lacks.
func TestLockedPool(t *testing.T) {
	p := newPooledTree(t, "jq", "half")
	lock := func() {
		t.Helper()
		b, s := p.open()
		n, err := b.MakeLock(t.Context(), s, LockRequest{}, p.sink)
		if err == nil {
			err = n.Write()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	before, err := p.prepare()
	if err != nil {
		t.Fatal(err)
	}
	lock()
	p.moveOn()
	after, err := p.prepare()
	if err != nil {
		t.Fatal(err)
	}
	if got := bare(after.pool()); !slices.Equal(got, []string{"jq 1", "libjq 1"}) || before.Graph.Key("packages/pool") != after.Graph.Key("packages/pool") {
		t.Errorf("the pool has %v", got)
	}
	if said := strings.Join(p.sink.lines, "\n"); !strings.Contains(said, "flavours/x.hcl:11: the pool does not have half: it could not be added when the lock was made") {
		t.Errorf("said:\n%s", said)
	}
	p.setPool("jq", "half", "other")
	if _, err := p.prepare(); err == nil || !strings.Contains(err.Error(), "pool: asked for, but not locked: other (flavours/x.hcl:12)") {
		t.Errorf("error %v", err)
	}
	lock()
	after, err = p.prepare()
	if err != nil {
		t.Fatal(err)
	}
	if got := bare(after.pool()); !slices.Equal(got, []string{"jq 1", "libjq 1", "other 2"}) {
		t.Errorf("with another package the pool has %v", got)
	}
	p.setPool()
	if _, err := p.prepare(); err == nil || !strings.Contains(err.Error(), "pool: the flavour does not ask for this list any more") {
		t.Errorf("error %v", err)
	}
}
