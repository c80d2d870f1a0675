package build

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/distro/debian/debtest"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/treetest"
)

// lockedTree is a tree with the flavour x, whose archive moves on.
type lockedTree struct {
	t              *testing.T
	dir            string
	own, vendor    *debtest.Repo
	stable, secure *debtest.Suite
}

func newLockedTree(t *testing.T) *lockedTree {
	l := &lockedTree{t: t, dir: t.TempDir()}
	pkg := func(name, version, depends string) debtest.Package {
		p := debtest.Package{Name: name, Version: version, Fields: map[string]string{"Depends": depends}}
		if depends == "" {
			p.Fields = nil
		}
		return p
	}
	l.stable = &debtest.Suite{Name: "trixie", Architectures: []string{"amd64", "i386"}, Packages: append(debtest.Base(),
		pkg("lib", "1", ""), pkg("prog", "1", "lib"), pkg("tool", "1", ""), pkg("openssl", "1", ""), debtest.Package{Name: "wine", Arch: "i386"})}
	l.secure = &debtest.Suite{Name: "trixie-security"}
	l.own = debtest.New(t, l.stable, l.secure)
	l.vendor = debtest.New(t, &debtest.Suite{Name: "./", Packages: []debtest.Package{{Name: "agent", Version: "7"}}})
	l.write("prog\ntool\nopenssl\nagent\nwine:i386\n")
	deb := debtest.Package{Name: "greeting", Version: "1"}.Build(t, t.TempDir())
	content, err := os.ReadFile(deb)
	if err != nil {
		t.Fatal(err)
	}
	treetest.WriteAll(t, l.dir, map[string]string{
		"features/base/info.yaml": "description: base\ntype: platform\n", "features/base/file.debs/greeting_1_all.deb": string(content),
		"flavours/x.hcl": fmt.Sprintf("flavour \"x\" {\n  features = [\"base\"]\n  distribution {\n    suite           = \"trixie\"\n    mirror          = %q\n    security        = true\n    security_mirror = %q\n    updates         = false\n    keyring         = %q\n    architectures   = [\"i386\"]\n"+
			"    source \"vendor\" {\n      urls    = [%q]\n      suites  = [\"./\"]\n      keyring = %q\n    }\n  }\n}\n", l.own.FileURL(), l.own.FileURL(), l.own.Key.Keyring, l.vendor.FileURL(), l.vendor.Key.Keyring),
	})
	return l
}

func (l *lockedTree) write(packages string) {
	treetest.WriteAll(l.t, l.dir, map[string]string{"features/base/pkg.include": packages})
}

// moveOn gives the archive other packages, and takes the old ones away.
func (l *lockedTree) moveOn() {
	l.t.Helper()
	old, err := filepath.Glob(filepath.Join(l.own.Dir, "pool/*/*/*/*.deb"))
	if err != nil {
		l.t.Fatal(err)
	}
	for _, file := range old {
		if err := os.Remove(file); err != nil {
			l.t.Fatal(err)
		}
	}
	l.stable.Packages = append(debtest.Base(), debtest.Package{Name: "lib", Version: "2"},
		debtest.Package{Name: "prog", Version: "2", Fields: map[string]string{"Depends": "lib (>= 2)"}},
		debtest.Package{Name: "tool", Version: "2"}, debtest.Package{Name: "openssl", Version: "1"}, debtest.Package{Name: "wine", Arch: "i386"}, debtest.Package{Name: "new"})
	l.secure.Packages = []debtest.Package{{Name: "openssl", Version: "1+deb1"}}
	l.own.Publish(l.t)
}

// open returns a builder with an empty cache, and the flavour.
func (l *lockedTree) open() (*Builder, *Subject) {
	l.t.Helper()
	b, err := Open(Options{Tree: l.dir, Cache: l.t.TempDir(), Backend: &Backend{
		Families: distro.Families{direct{}}, Arch: "amd64",
		Host: func(context.Context, distro.Distro, event.Sink) (string, error) { return "none", nil },
	}})
	if err != nil {
		l.t.Fatal(err)
	}
	project, _, err := b.Load()
	if err != nil {
		l.t.Fatal(err)
	}
	s, err := b.Resolve(l.t.Context(), project, "x")
	if err != nil {
		l.t.Fatal(err)
	}
	return b, s
}

// keys are the keys of the plan.
func (l *lockedTree) keys() (map[string]string, error) {
	b, s := l.open()
	p, err := b.Prepare(l.t.Context(), s, &recorder{})
	if err != nil {
		return nil, err
	}
	defer p.Close()
	keys := map[string]string{}
	for _, step := range p.Graph.Steps() {
		keys[step.ID] = p.Graph.Key(step.ID)
	}
	return keys, nil
}

// lock makes the lock and writes it. It returns what changes, "NAME OLD NEW" each.
func (l *lockedTree) lock(q LockRequest) (changes []string, n *NewLock) {
	l.t.Helper()
	b, s := l.open()
	n, err := b.MakeLock(l.t.Context(), s, q, nil)
	if err != nil {
		l.t.Fatal(err)
	}
	if err := n.Write(); err != nil {
		l.t.Fatal(err)
	}
	for _, c := range n.Changes {
		before, after := "-", "-"
		if c.Before != nil {
			before = c.Before.Version
		}
		if c.After != nil {
			after = c.After.Version
		}
		changes = append(changes, c.Name+" "+before+" "+after)
	}
	return changes, n
}

// TestLockOfAnArchiveThatMovesOn: a plan by the lock is the one before, with an empty cache
// and without an archive. Only what is asked for changes.
func TestLockOfAnArchiveThatMovesOn(t *testing.T) {
	l := newLockedTree(t)
	before, err := l.keys()
	if err != nil {
		t.Fatal(err)
	}
	if changes, n := l.lock(LockRequest{}); len(changes) != 9 || n.Current() {
		t.Errorf("the first lock has %v", changes)
	}
	text, err := os.ReadFile(filepath.Join(l.dir, "flavours/x.lock.json"))
	if err != nil || !strings.Contains(string(text), `"source":"feature base"`) || !strings.Contains(string(text), `"arch":"i386"`) || !strings.Contains(string(text), `"source":"vendor"`) {
		t.Errorf("error %v, or the lock lacks a package:\n%s", err, text)
	}
	l.moveOn()
	away := l.own.Dir + ".away"
	if err := os.Rename(l.own.Dir, away); err != nil {
		t.Fatal(err)
	}
	if keys, err := l.keys(); err != nil || fmt.Sprint(keys) != fmt.Sprint(before) {
		t.Errorf("by the lock the keys are %v, not %v; error %v", keys, before, err)
	}
	if err := os.Rename(away, l.own.Dir); err != nil {
		t.Fatal(err)
	}
	if changes, n := l.lock(LockRequest{}); len(changes) != 0 || !n.Current() {
		t.Errorf("a lock that fits changes: %v", changes)
	}
	l.write("prog\ntool\nopenssl\nagent\nwine:i386\nnew\n")
	if _, err := l.keys(); err == nil || !strings.Contains(err.Error(), "flavours/x.lock.json:") || !strings.Contains(err.Error(), "rootfs: asked for, but not locked: new (features/base/pkg.include:6)") {
		t.Errorf("the fault of a lock that does not fit is %v", err)
	}
	for _, c := range []struct {
		q            LockRequest
		want, needed []string
	}{
		{LockRequest{}, []string{"new - 1"}, nil},
		{LockRequest{Update: true, Names: []string{"tool"}}, []string{"tool 1 2"}, nil},
		{LockRequest{Update: true, Names: []string{"prog"}}, []string{"lib 1 2", "prog 1 2"}, []string{"lib"}},
		{LockRequest{Update: true}, []string{"openssl 1 1+deb1"}, nil},
	} {
		changes, n := l.lock(c.q)
		if !slices.Equal(changes, c.want) || !slices.Equal(n.Needed, c.needed) {
			t.Errorf("%+v changes %v and needs %v, not %v and %v", c.q, changes, n.Needed, c.want, c.needed)
		}
		if n.Changes[0].Name == "openssl" && !n.Changes[0].Security() {
			t.Error("a security update is not marked as one")
		}
		if keys, err := l.keys(); err != nil || fmt.Sprint(keys) == fmt.Sprint(before) {
			t.Errorf("after %+v the plan has error %v, or its old keys", c.q, err)
		}
	}
	treetest.WriteAll(t, l.dir, map[string]string{"features/base/file.debs/greeting_1_all.deb": string(must(os.ReadFile(debtest.Package{Name: "greeting", Version: "1", Files: map[string]string{"/usr/share/other": "x"}}.Build(t, t.TempDir()))))})
	if _, err := l.keys(); err == nil || !strings.Contains(err.Error(), "greeting=1 sha256:") {
		t.Errorf("with another local package of the same version the error is %v", err)
	}
}

// TestLockHasNoPasswords: what a URL has of them does not get into a lock.
func TestLockHasNoPasswords(t *testing.T) {
	s := lockSource("", distro.Source{Name: "main", URL: "https://user:secret@mirror.example.org/debian", Suite: "testing"}, distro.Release{})
	if s.URL != "https://user:***@mirror.example.org/debian" {
		t.Errorf("the URL in the lock is %s", s.URL)
	}
}

// TestLockOfAnotherSuite: what was locked of sources that the flavour does not have any more
// is not kept.
func TestLockOfAnotherSuite(t *testing.T) {
	l := newLockedTree(t)
	l.lock(LockRequest{})
	other := *l.stable
	other.Name = "forky"
	other.Packages = append(debtest.Base(), debtest.Package{Name: "prog", Version: "0"}, debtest.Package{Name: "tool", Version: "0"}, debtest.Package{Name: "openssl", Version: "0"}, debtest.Package{Name: "wine", Arch: "i386"})
	l.own.Suites = append(l.own.Suites, &other)
	l.own.Publish(t)
	flavour := string(must(os.ReadFile(filepath.Join(l.dir, "flavours/x.hcl"))))
	treetest.WriteAll(t, l.dir, map[string]string{"flavours/x.hcl": strings.NewReplacer("trixie", "forky", "    security        = true\n", "", "    security_mirror = \""+l.own.FileURL()+"\"\n", "").Replace(flavour)})
	if _, err := l.keys(); err == nil || !strings.Contains(err.Error(), "sources: asked for, but not locked: main forky main; locked, but not asked for any more: main trixie main, security trixie-security main") {
		t.Errorf("the fault is %v", err)
	}
	if changes, _ := l.lock(LockRequest{}); !slices.Contains(changes, "prog 1 0") || !slices.Contains(changes, "lib 1 -") {
		t.Errorf("the changes are %v", changes)
	}
	if _, err := l.keys(); err != nil {
		t.Error(err)
	}
}

func must(content []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return content
}
