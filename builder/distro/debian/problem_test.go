package debian

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/distro/debian/debtest"
)

// with is a package with fields, "NAME: VALUE" each.
func with(name, version string, fields ...string) debtest.Package {
	p := debtest.Package{Name: name, Version: version, Fields: map[string]string{}}
	for _, f := range fields {
		field, value, _ := strings.Cut(f, ": ")
		p.Fields[field] = value
	}
	return p
}

// kitchen is an archive for the tests below: once alone, and once as one of two.
func kitchen(t *testing.T, archs ...string) map[string]distro.Archive {
	t.Helper()
	i386 := debtest.Package{Name: "lib", Version: "1", Arch: "i386", Fields: map[string]string{"Multi-Arch": "same", "Depends": "lib-common"}}
	amd64 := i386
	amd64.Arch = "amd64"
	only := debtest.Package{Name: "only", Arch: "amd64"}
	r := debtest.New(t,
		&debtest.Suite{Name: "stable", Architectures: append([]string{"amd64"}, archs...), Packages: append(debtest.Base(),
			amd64, i386, only, with("lib-common", "1", "Multi-Arch: foreign"),
			with("mta-a", "1", "Provides: mta"), with("mta-b", "1", "Provides: mta"),
			with("mailer", "1", "Depends: mta-a | mta"), with("needs-a", "1", "Depends: mta-a"),
			with("desk", "1", "Depends: shell", "Recommends: docs, viewer | editor, gone, clash"), with("shell", "1", "Recommends: themes"),
			with("docs", "1", "Recommends: fonts"), with("viewer", "1"), with("editor", "1"), with("fonts", "1"), with("themes", "1"),
			with("clash", "1", "Conflicts: other"), with("other", "1", "Recommends: fonts"), with("asks", "1", "Depends: desk"), with("tool", "2"))},
		&debtest.Suite{Name: "more", Architectures: append([]string{"amd64"}, archs...), Packages: []debtest.Package{with("extra", "1", "Recommends: docs")}},
	)
	out := map[string]distro.Archive{}
	main := distro.Source{Name: distro.MainSource, URL: r.FileURL(), Suite: "stable", Components: []string{"main"}, Keyring: r.Key.Armoured}
	second := main
	second.Name, second.Suite = "more", "more"
	for name, sources := range map[string][]distro.Source{"one": {main}, "union": {main, second}} {
		a, err := quick.Open(t.Context(), distro.ArchiveOptions{Arch: "amd64", MoreArchs: archs, Sources: sources, Cache: t.TempDir(), Client: impatient()})
		if err != nil {
			t.Fatal(err)
		}
		out[name] = a
	}
	return out
}

// above resolves wants above the base, and lists what they bring, "NAME VERSION
// ARCH" each, without the architecture all.
func above(t *testing.T, a distro.Archive, wants ...distro.Want) (got string, c *distro.Closure, err error) {
	t.Helper()
	base, err := a.Resolve(t.Context(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = a.Resolve(t.Context(), base, wants); err != nil {
		return "", nil, err
	}
	var out []string
	for _, p := range c.Minus(base).Packages {
		out = append(out, strings.TrimSuffix(p.Package.String(), " all"))
	}
	again, err := a.Resolve(t.Context(), base, wants)
	if err != nil || again.Digest() != c.Digest() || !slices.Equal(again.Missed, c.Missed) {
		t.Errorf("what is remembered differs, error %v", err)
	}
	return strings.Join(out, ", "), c, nil
}

func TestRecommends(t *testing.T) {
	for kind, a := range kitchen(t) {
		for _, c := range []struct {
			wants  []distro.Want
			want   string
			missed string
		}{
			{[]distro.Want{{Name: "desk"}}, "desk 1, shell 1", ""},
			// As apt: what is recommended brings what it recommends along, and so does
			// what is needed for it.
			{[]distro.Want{{Name: "desk", Recommends: true}}, "clash 1, desk 1, docs 1, fonts 1, shell 1, themes 1, viewer 1", "gone"},
			// But not what is there for other reasons.
			{[]distro.Want{{Name: "desk", Recommends: true}, {Name: "shell"}}, "clash 1, desk 1, docs 1, fonts 1, shell 1, viewer 1", "gone"},
			// Of a choice, one is enough.
			{[]distro.Want{{Name: "desk", Recommends: true}, {Name: "editor"}}, "clash 1, desk 1, docs 1, editor 1, fonts 1, shell 1, themes 1", "gone"},
			// What another wish rules out is missed.
			{[]distro.Want{{Name: "desk", Recommends: true}, {Name: "other"}}, "desk 1, docs 1, fonts 1, other 1, shell 1, themes 1, viewer 1", "gone, clash"},

			// Other wishes may need it.
			{[]distro.Want{{Name: "asks"}, {Name: "docs", Recommends: true}}, "asks 1, desk 1, docs 1, fonts 1, shell 1", ""},
			{[]distro.Want{{Name: "asks"}, {Name: "desk", Version: "1", Recommends: true}}, "asks 1, clash 1, desk 1, docs 1, fonts 1, shell 1, viewer 1", "gone"},
			// What is forbidden is not missed.
			{[]distro.Want{{Name: "desk", Recommends: true}, {Name: "docs", Forbidden: true}}, "clash 1, desk 1, shell 1, themes 1, viewer 1", "gone"},
		} {
			got, closure, err := above(t, a, c.wants...)
			if err != nil || got != c.want {
				t.Errorf("%s: %v: %s, error %v\nwant %s", kind, c.wants, got, err, c.want)
				continue
			}
			if missed := strings.Join(closure.Missed, ", "); missed != c.missed {
				t.Errorf("%s: %v: missed %s, want %s", kind, c.wants, missed, c.missed)
			}
		}
	}
}

func TestForbidden(t *testing.T) {
	for kind, a := range kitchen(t, "i386") {
		got, _, err := above(t, a, distro.Want{Name: "mailer"})
		if err != nil || got != "mailer 1, mta-a 1" {
			t.Errorf("%s: %s, error %v", kind, got, err)
		}
		got, _, err = above(t, a, distro.Want{Name: "mailer"}, distro.Want{Name: "mta-a", Forbidden: true})
		if err != nil || got != "mailer 1, mta-b 1" {
			t.Errorf("%s: without mta-a: %s, error %v", kind, got, err)
		}
		var unsolvable *distro.UnsolvableError
		_, _, err = above(t, a, distro.Want{Name: "needs-a"}, distro.Want{Name: "mta-a", Forbidden: true})
		if !errors.As(err, &unsolvable) || !strings.Contains(unsolvable.Reason, "needs-a : Depends: mta-a") {
			t.Errorf("%s: what is needed is forbidden: %v", kind, err)
		}
		var forbidden *distro.ForbiddenError
		_, _, err = above(t, a, distro.Want{Name: "mailer"}, distro.Want{Name: "base-files", Forbidden: true})
		if !errors.As(err, &forbidden) || forbidden.Want.Name != "base-files" {
			t.Errorf("%s: a package of the base is forbidden: %v", kind, err)
		}
		// No archive needs to have it.
		if got, _, err = above(t, a, distro.Want{Name: "tool"}, distro.Want{Name: "no-such", Forbidden: true}); err != nil || got != "tool 2" {
			t.Errorf("%s: %s, error %v", kind, got, err)
		}
	}
}

// local is a want for a package in a file.
func local(t *testing.T, p debtest.Package) distro.Want {
	t.Helper()
	read, err := Family{}.Local(t.Context(), p.Build(t, t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	return distro.Want{Name: read.Name, Version: read.Version, Local: &read}
}

func TestLocal(t *testing.T) {
	for kind, a := range kitchen(t) {
		older := local(t, with("tool", "1~rc+1", "Depends: lib-common, mine (= 1:3)"))
		mine := local(t, with("mine", "1:3", "Recommends: docs"))
		got, c, err := above(t, a, older, mine)
		if err != nil || got != "lib-common 1, mine 1:3, tool 1~rc+1" {
			t.Errorf("%s: %s, error %v", kind, got, err)
			continue
		}
		for _, p := range c.Packages {
			if want := p.Name == "tool" || p.Name == "mine"; isLocal(p) != want || want && !strings.HasPrefix(p.Filename, "local/"+p.Name) {
				t.Errorf("%s: %s is local: %v, %s", kind, p.Name, isLocal(p), p.Filename)
			}
		}
		// What is resolved above it knows it, too; and it counts by its content.
		on, err := a.Resolve(t.Context(), c, []distro.Want{{Name: "fonts"}})
		if err != nil || len(on.Packages) != len(c.Packages)+1 {
			t.Errorf("%s: above: %v, error %v", kind, on, err)
		}
		other := with("mine", "1:3", "Recommends: docs")
		other.Files = map[string]string{"/usr/share/mine": "other"}
		if _, changed, err := above(t, a, older, local(t, other)); err != nil || changed.Digest() == c.Digest() {
			t.Errorf("%s: the digest is the same for another content, error %v", kind, err)
		}
		recommending := mine
		recommending.Recommends = true
		if got, _, err = above(t, a, recommending); err != nil || got != "docs 1, fonts 1, mine 1:3" {
			t.Errorf("%s: recommending: %s, error %v", kind, got, err)
		}
		// It takes the place of a package of the base.
		if got, _, err = above(t, a, local(t, with("apt", "9"))); err != nil || got != "apt 9" {
			t.Errorf("%s: in place of the base's: %s, error %v", kind, got, err)
		}
		var unsolvable *distro.UnsolvableError
		if _, _, err = above(t, a, local(t, with("mine", "1", "Depends: nothing-has-it"))); !errors.As(err, &unsolvable) || !strings.Contains(unsolvable.Reason, "mine : Depends: nothing-has-it") {
			t.Errorf("%s: an impossible package: %v", kind, err)
		}
		var clash *distro.LocalError
		if _, _, err = above(t, a, local(t, with("tool", "2", "Section: local"))); !errors.As(err, &clash) || !strings.Contains(err.Error(), "tool 2 all: the archive has tool 2 (all) too, and it is another file") {
			t.Errorf("%s: another file of the same version: %v", kind, err)
		}
	}
}

func TestLocalFile(t *testing.T) {
	dir := t.TempDir()
	p := debtest.Package{Name: "mine", Version: "1:3~a+b", Arch: "amd64", Fields: map[string]string{"Filename": "../../etc/passwd", "SHA256": "00", "Depends": "a,\n b", "Treewright-Local": "no"}}
	file := p.Build(t, dir)
	moved := filepath.Join(dir, "elsewhere.deb")
	if err := os.Rename(file, moved); err != nil {
		t.Fatal(err)
	}
	got, err := Family{}.Local(t.Context(), moved)
	if err != nil {
		t.Fatal(err)
	}
	sum, size, err := hashed(moved)
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("Filename: local/mine_3~a+b_amd64.deb\nSize: %d\nSHA256: %s\nTreewright-Local: yes\n", size, sum)
	if got.Package.String() != "mine 1:3~a+b amd64" || !strings.HasSuffix(got.Stanza, want) || strings.Contains(got.Stanza, "passwd") || strings.Contains(got.Stanza, ": no") || !strings.Contains(got.Stanza, "Depends: a,\n b\n") {
		t.Errorf("%+v\n%s", got, got.Stanza)
	}
	if err := os.WriteFile(moved, []byte("!<arch>\nodd"), 0o644); err != nil {
		t.Fatal(err)
	}
	var bad *distro.LocalError
	if _, err := (Family{}).Local(t.Context(), moved); !errors.As(err, &bad) || strings.Contains(bad.Reason, moved) || bad.Reason == "" {
		t.Errorf("not a package: %v", err)
	}
}

// TestMoreArchitectures: packages of one name for two architectures are two.
func TestMoreArchitectures(t *testing.T) {
	for kind, a := range kitchen(t, "i386") {
		got, _, err := above(t, a, distro.Want{Name: "lib"}, distro.Want{Name: "lib:i386", Version: "1"})
		if err != nil || got != "lib 1 amd64, lib 1 i386, lib-common 1" {
			t.Errorf("%s: %s, error %v", kind, got, err)
		}
		_, c, err := above(t, a, distro.Want{Name: "lib:i386"})
		if err != nil {
			t.Fatal(err)
		}
		on, err := a.Resolve(t.Context(), c, []distro.Want{{Name: "lib"}, {Name: "fonts"}})
		if err != nil || len(on.Packages) != len(c.Packages)+2 {
			t.Errorf("%s: above it: %v, error %v", kind, on, err)
		}
		var unknown *distro.UnknownError
		if _, _, err = above(t, a, distro.Want{Name: "only:i386"}); !errors.As(err, &unknown) || unknown.Missing[0].Name != "only:i386" {
			t.Errorf("%s: what is not there for i386: %v", kind, err)
		}
	}
}
