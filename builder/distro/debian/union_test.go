package debian

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/distro/debian/debtest"
)

// archives are the sources of these tests: a system's own suite with its updates of
// security and backports, and one of somebody else, on one host and in part with
// the same release fields.
func archives(t *testing.T) (own, other *debtest.Repo, sources []distro.Source) {
	t.Helper()
	depends := func(name, version, on string) debtest.Package {
		return debtest.Package{Name: name, Version: version, Fields: map[string]string{"Depends": on}}
	}
	own = debtest.New(t,
		&debtest.Suite{Name: "stable", Packages: append(debtest.Base(),
			debtest.Package{Name: "lib", Version: "1"}, debtest.Package{Name: "tool", Version: "1"}, depends("prog", "1", "lib"),
			debtest.Package{Name: "docker-ce", Version: "9"}, debtest.Package{Name: "docker-doc", Version: "9"}, depends("app", "1", "docker-ce"))},
		&debtest.Suite{Name: "stable-security", Packages: []debtest.Package{{Name: "lib", Version: "1+deb1"}}},
		&debtest.Suite{Name: "stable-backports", Fields: map[string]string{"NotAutomatic": "yes", "ButAutomaticUpgrades": "yes"},
			Packages: []debtest.Package{{Name: "lib", Version: "2"}, depends("prog", "2", "lib (>= 2)")}},
	)
	other = debtest.New(t, &debtest.Suite{Name: "stable", Packages: []debtest.Package{
		{Name: "docker-ce", Version: "1"}, {Name: "containerd", Version: "1"}, {Name: "lib", Version: "99"}, {Name: "tool", Version: "99"},
	}})
	from := func(r *debtest.Repo, name, suite string) distro.Source {
		return distro.Source{Name: name, URL: r.FileURL(), Suite: suite, Components: []string{"main"}, Keyring: r.Key.Keyring}
	}
	vendor := from(other, "vendor", "stable")
	vendor.Packages, vendor.Keyring = []string{"docker-*", "containerd"}, other.Key.Armoured
	return own, other, []distro.Source{from(own, "main", "stable"), from(own, "security", "stable-security"), from(own, "backports", "stable-backports"), vendor}
}

// resolved is what the archive answers, "NAME VERSION SOURCE" each, without what
// every tree has.
func resolved(t *testing.T, a distro.Archive, wants ...distro.Want) []string {
	t.Helper()
	base, err := a.Resolve(t.Context(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	c, err := a.Resolve(t.Context(), base, wants)
	if err != nil {
		return []string{err.Error()}
	}
	var out []string
	for _, p := range c.Minus(base).Packages {
		out = append(out, fmt.Sprintf("%s %s %s", p.Name, p.Version, p.Source))
	}
	return out
}

func opened(t *testing.T, sources []distro.Source) distro.Archive {
	t.Helper()
	a, err := quick.Open(t.Context(), distro.ArchiveOptions{Arch: "amd64", Sources: sources, Cache: t.TempDir(), Client: impatient()})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestUnion(t *testing.T) {
	_, _, sources := archives(t)
	a := opened(t, sources)
	for _, c := range []struct {
		wants []distro.Want
		want  string
	}{
		// What security updates wins, backports are not taken by themselves, and of
		// a source with patterns nothing else, however new.
		{[]distro.Want{{Name: "prog"}, {Name: "tool"}}, "lib 1+deb1 security, prog 1 main, tool 1 main"},
		// What matches comes from there, however old, as a dependency as well; except
		// what it does not have.
		{[]distro.Want{{Name: "app"}, {Name: "docker-doc"}, {Name: "containerd"}}, "app 1 main, containerd 1 vendor, docker-ce 1 vendor, docker-doc 9 main"},
		// A suite brings what it needs from there along.
		{[]distro.Want{{Name: "prog", Suite: "stable-backports"}}, "lib 2 backports, prog 2 backports"},
		{[]distro.Want{{Name: "tool", Suite: "stable"}}, "tool 1 main"},
		{[]distro.Want{{Name: "lib", Suite: "main"}}, "lib 1 main"},
		{[]distro.Want{{Name: "lib", Version: "2"}}, "lib 2 backports"},
		{[]distro.Want{{Name: "docker-ce", Version: "9"}}, "The sources main (stable), security (stable-security), backports (stable-backports), vendor (stable) have no package docker-ce=9"},
		{[]distro.Want{{Name: "tool", Suite: "stable-backports"}}, "The sources main (stable), security (stable-security), backports (stable-backports), vendor (stable) have no package tool/stable-backports"},
	} {
		if got := strings.Join(resolved(t, a, c.wants...), ", "); got != c.want {
			t.Errorf("%v: %s\nwant %s", c.wants, got, c.want)
		}
	}
	releases := a.Releases()
	if len(releases) != len(sources) || releases[1].Source.Name != "security" || releases[0].SHA256 == releases[1].SHA256 || len(releases[3].SHA256) != 64 {
		t.Errorf("releases %+v", releases)
	}
}

// TestPriority: it decides between sources as in apt_preferences(5).
func TestPriority(t *testing.T) {
	_, _, sources := archives(t)
	sources[3].Packages = nil
	for priority, want := range map[int]string{
		0: "lib 99 vendor, tool 99 vendor", 400: "lib 1+deb1 security, tool 1 main", 990: "lib 99 vendor, tool 99 vendor", -1: "lib 1+deb1 security, tool 1 main",
	} {
		sources[3].Priority = priority
		if got := strings.Join(resolved(t, opened(t, sources), distro.Want{Name: "tool"}, distro.Want{Name: "lib"}), ", "); got != want {
			t.Errorf("priority %d: %s, want %s", priority, got, want)
		}
	}
	sources[2].Priority, sources[3].Priority = 990, 100
	if got := resolved(t, opened(t, sources), distro.Want{Name: "prog"}); !slices.Equal(got, []string{"lib 2 backports", "prog 2 backports"}) {
		t.Errorf("backports of priority 990: %q", got)
	}
}

// TestUnionIsRemembered: what was put together serves again, until a release file
// or a pin is another one. A source alone, with patterns, is obeyed as well.
func TestUnionIsRemembered(t *testing.T) {
	own, _, sources := archives(t)
	o := distro.ArchiveOptions{Arch: "amd64", Sources: sources, Cache: t.TempDir(), Client: impatient()}
	open := func(offline bool) *Archive {
		o.Offline = offline
		a, err := quick.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		return a.(*Archive)
	}
	first, again, offline := open(false), open(false), open(true)
	if first.dir != again.dir || first.dir != offline.dir {
		t.Errorf("%s, %s, offline %s", first.dir, again.dir, offline.dir)
	}
	if got := resolved(t, first, distro.Want{Name: "lib"}); got[0] != "lib 1+deb1 security" {
		t.Errorf("lib is %q", got)
	}
	own.Suite("stable-security").Packages = []debtest.Package{{Name: "lib", Version: "1+deb2"}}
	own.Publish(t)
	changed := open(false)
	if got := resolved(t, changed, distro.Want{Name: "lib"}); changed.dir == first.dir || got[0] != "lib 1+deb2 security" {
		t.Errorf("after an update, lib is %q in %s", got, changed.dir)
	}
	if got := resolved(t, first, distro.Want{Name: "prog"}); got[0] != "lib 1+deb1 security" {
		t.Errorf("who opened it before finds %q", got)
	}
	o.Sources[0].Packages = []string{"l*", "apt", "base-files"}
	alone := distro.ArchiveOptions{Arch: "amd64", Sources: o.Sources[:1], Cache: o.Cache, Client: o.Client}
	a, err := quick.Open(t.Context(), alone)
	if err != nil {
		t.Fatal(err)
	}
	var unknown *distro.UnknownError
	if _, err := a.Resolve(t.Context(), nil, []distro.Want{{Name: "tool"}}); !errors.As(err, &unknown) {
		t.Errorf("what no pattern names is resolved, error %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(o.Cache, "apt/*/"+newPrefix+"*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// TestSameVersionOtherFile: nothing tells two packages of the same name and version
// apart, so only one of them can be chosen, always the same.
func TestSameVersionOtherFile(t *testing.T) {
	ours := debtest.Package{Name: "tool", Files: map[string]string{"/usr/share/a": "ours"}}
	theirs := debtest.Package{Name: "tool", Files: map[string]string{"/usr/share/a": "theirs"}}
	a := debtest.New(t, &debtest.Suite{Name: "stable", Packages: append(debtest.Base(), ours)})
	b := debtest.New(t, &debtest.Suite{Name: "./", Packages: []debtest.Package{theirs}})
	sources := []distro.Source{
		{Name: "main", URL: a.FileURL(), Suite: "stable", Components: []string{"main"}, Keyring: a.Key.Keyring},
		{Name: "flat", URL: b.FileURL(), Suite: "./", Keyring: b.Key.Keyring},
	}
	for priority, want := range map[int]string{0: "tool 1 main", 600: "tool 1 flat", 400: "tool 1 main"} {
		sources[1].Priority = priority
		if got := resolved(t, opened(t, sources), distro.Want{Name: "tool"}); !slices.Equal(got, []string{want}) {
			t.Errorf("priority %d: %q, want %s", priority, got, want)
		}
	}
}

// TestUnmatchedPatterns: a pattern that names nothing is a fault at its place.
func TestUnmatchedPatterns(t *testing.T) {
	_, _, sources := archives(t)
	sources[3].Packages = []string{"docker-*", "containred", "zzz*"}
	_, err := quick.Open(t.Context(), distro.ArchiveOptions{Arch: "amd64", Sources: sources, Cache: t.TempDir(), Client: impatient()})
	var fault *distro.SourceError
	if !errors.As(err, &fault) || fault.Source != "vendor" || fault.Field != "packages" || fault.Value != "containred" || !slices.Contains(fault.Known, "containerd") {
		t.Errorf("error %v, fault %+v", err, fault)
	}
	if err == nil || !strings.Contains(err.Error(), "No package of the source is called zzz*.") {
		t.Errorf("error %v", err)
	}
}
