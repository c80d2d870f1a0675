package build

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/distro/debian"
	"github.com/treewright/treewright/builder/download"
	"github.com/treewright/treewright/builder/extend"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/publish"
	"github.com/treewright/treewright/builder/treetest"
)

const pooledCommit = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

// publish publishes the pool of a plan, like a build of the commit.
func (p *pooledTree) publish(made *Prepared) {
	p.t.Helper()
	step := *made.Graph.Step("packages/pool")
	output := made.Output
	treetest.Write(p.t, filepath.Join(output.Public, "repo", ostree.ObjectPath(pooledCommit+".commit")), "")
	store, err := layer.Open(filepath.Join(p.cache, "results"))
	if err != nil {
		p.t.Fatal(err)
	}
	defer store.Close()
	g := &plan.Graph{}
	step.Sources = nil
	if err := g.Add(step); err != nil {
		p.t.Fatal(err)
	}
	draft, err := store.Begin(g.Key(step.ID))
	if err != nil {
		p.t.Fatal(err)
	}
	epoch := p.fetch(made.pool(), draft.Data, distro.FetchHints{Mirrors: map[string][]string{distro.MainSource: {p.own.FileURL()}}})
	treetest.Write(p.t, draft.Log, "")
	if err := draft.Commit(layer.Result{Step: step.ID, Epoch: epoch}); err != nil {
		p.t.Fatal(err)
	}
	f := publish.Finished{Store: store, Graph: g, Manifest: &publish.Manifest{Commit: pooledCommit}, Pools: debian.Family{}, Pool: made.pool()}
	if err := f.Publish(p.t.Context(), output); err != nil {
		p.t.Fatal(err)
	}
}

// fetch downloads packages, without any earlier downloads.
func (p *pooledTree) fetch(packages []distro.Archived, out string, h distro.FetchHints) int64 {
	p.t.Helper()
	h.Cache = filepath.Join(p.t.TempDir(), "packages")
	epoch, err := debian.Family{}.Fetch(p.t.Context(), (&distro.Closure{Packages: packages}).Index(), out, h, func(int64, int64) {}, func(string) {})
	if err != nil {
		p.t.Fatal(err)
	}
	return epoch
}

// committedList is the list of packages of the commit.
const committedList = "Package: base-files\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n\nPackage: apt\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n\n" +
	"Package: lib\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n" +
	"Package: own\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n\n"

// above resolves packages above the commit. own reports that the commit has the tools.
func (p *pooledTree) above(own bool, names ...string) (*Prepared, *extendedCommit, error) {
	p.t.Helper()
	b, s := p.open()
	base := &extendedCommit{flavour: s, sum: pooledCommit, pools: b.Output(s).Pools()}
	r := reporter{p.sink}
	base.readPool(direct{}, r)
	have, err := direct{}.Database().Archived(committedList)
	if err != nil {
		p.t.Fatal(err)
	}
	archives, err := b.archives(p.t.Context(), direct{}, r, download.Once)
	if err != nil {
		p.t.Fatal(err)
	}
	made := &Prepared{Subject: base.above(base.request(names)), distro: direct{}}
	return made, base, b.resolveAbove(p.t.Context(), made, base, have, own, archives, r)
}

func (m *Prepared) addedPackages() []distro.Archived {
	return m.Packages.Extensions[extend.Extension].Minus(m.Packages.System).Packages
}

// TestExtendByThePool: packages of an archive that has moved on cannot be added to an old commit. With its pool they can, without the
// archive, and they are the same ones.
func TestExtendByThePool(t *testing.T) {
	p := newPooledTree(t, "jq", "exim", "postfix")
	made, err := p.prepare()
	if err != nil {
		t.Fatal(err)
	}
	today, _, err := p.above(true, "jq")
	if err != nil {
		t.Fatal(err)
	}
	p.publish(made)
	p.moveOn()
	pools := filepath.Join(p.dir, ".build/x/pool")
	if err := os.Rename(pools, pools+"-"); err != nil {
		t.Fatal(err)
	}
	_, _, err = p.above(true, "jq")
	var failure *extend.Failure
	if !errors.As(err, &failure) || failure.Reason != extend.Unfit || !strings.Contains(failure.Text, "jq cannot be added to commit aaaaaaaaaaaa: the commit has lib 1, and 2 would be needed") {
		t.Errorf("without a pool: %v", err)
	}
	if err := os.Rename(pools+"-", pools); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		set  func()
	}{
		{"the archive has newer ones", func() {}},
		{"offline, an empty cache", func() { p.offline, p.cache = true, t.TempDir() }},
		{"an archive that is gone", func() {
			p.offline, p.cache = false, t.TempDir()
			if err := os.RemoveAll(p.own.Dir); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.set()
			got, base, err := p.above(true, "jq")
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got.addedPackages(), today.addedPackages()) {
				t.Errorf("the packages are %v, and were\n%v", got.addedPackages(), today.addedPackages())
			}
			if said := strings.Join(p.sink.lines, "\n"); !strings.Contains(said, "from the pool of commit aaaaaaaaaaaa: jq 1, libjq 1") {
				t.Errorf("said:\n%s", said)
			}
			out := t.TempDir()
			p.fetch(got.addedPackages(), out, distro.FetchHints{Pools: base.pools})
			if _, err := os.Stat(filepath.Join(out, "pool/jq_1_amd64.deb")); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestExtendBeyondThePool: packages that the pool lacks come from the archive, and all others from the pool.
func TestExtendBeyondThePool(t *testing.T) {
	p := newPooledTree(t, "jq")
	made, err := p.prepare()
	if err != nil {
		t.Fatal(err)
	}
	p.publish(made)
	p.moveOn()
	got, _, err := p.above(true, "jq", "other")
	if err != nil {
		t.Fatal(err)
	}
	if names := bare(got.addedPackages()); !slices.Equal(names, []string{"jq 1", "libjq 1", "other 2"}) {
		t.Errorf("added are %v", names)
	}
	if said := strings.Join(p.sink.lines, "\n"); !strings.Contains(said, "from the pool of commit aaaaaaaaaaaa: jq 1, libjq 1") || !strings.Contains(said, "not in the pool of commit aaaaaaaaaaaa, so from the package archive: other 2") {
		t.Errorf("said:\n%s", said)
	}
	// A package of the flavour's own, which neither the pool nor the archive has.
	for _, names := range [][]string{{"jq", "own"}, {"other", "own"}, {"own"}} {
		got, base, err := p.above(true, names...)
		if err != nil || len(base.notes) != 1 || slices.Contains(bare(got.addedPackages()), "own 1") {
			t.Errorf("%v: %v, %q", names, err, base.notes)
		}
	}
	// A name that neither the pool nor the archive has.
	var failure *extend.Failure
	if _, _, err := p.above(true, "jk"); !errors.As(err, &failure) || failure.Reason != extend.UnknownPackage {
		t.Errorf("error %v", err)
	}
	// Tools of an archive that is gone now.
	if err := os.Rename(p.own.Dir+"/dists", p.own.Dir+"/gone"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.above(false, "other"); err == nil {
		t.Error("a package that is not in the pool is found without an archive")
	}
	if got, _, err = p.above(false, "jq"); err != nil || !slices.Equal(bare(got.addedPackages()), []string{"jq 1", "libjq 1"}) {
		t.Fatal(err)
	}
	if said := strings.Join(p.sink.lines, "\n"); !strings.Contains(said, "the package archive cannot be read. All packages that are added are from the pool of the commit") {
		t.Errorf("said:\n%s", said)
	}
	// A damaged pool is not used, and the build reports it.
	treetest.Write(t, filepath.Join(p.dir, ".build/x/pool", pooledCommit, "Packages"), "torn")
	if _, _, err := p.above(true, "jq"); err == nil || !strings.Contains(strings.Join(p.sink.lines, "\n"), "the pool of commit aaaaaaaaaaaa cannot be read, and is not used") {
		t.Errorf("error %v, said:\n%s", err, strings.Join(p.sink.lines, "\n"))
	}
}
