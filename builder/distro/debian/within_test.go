package debian

import (
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/distro/debian/debtest"
)

// TestWithin: of packages that were resolved together, a part has the packages that the wishes of
// that part take, whatever other wishes there are. apt installs the wishes if it has nothing but that part.
func TestWithin(t *testing.T) {
	lib := debtest.Package{Name: "lib", Version: "1", Arch: "i386", Fields: map[string]string{"Multi-Arch": "same", "Depends": "lib-common"}}
	lib64 := lib
	lib64.Arch = "amd64"
	packages := []debtest.Package{
		lib, lib64, with("lib-common", "1", "Multi-Arch: foreign"), with("app", "1", "Pre-Depends: early", "Depends: lib-common,\n mta-a | mta"), with("early", "1", "Depends: app"),
		with("mta-a", "1", "Provides: mta", "Conflicts: mta"), with("mta-b", "1", "Provides: mta", "Conflicts: mta"), with("a-mta", "1", "Provides: mta", "Conflicts: mta"),
		with("new", "2", "Depends: tool (>= 2)"), with("old", "1", "Depends: tool (<< 2) | other (= 1), foreign:any"), with("tool", "2"), with("other", "1"),
		with("foreign", "1", "Multi-Arch: allowed"), with("versioned", "1", "Depends: api (>= 3)"), with("impl", "1", "Provides: api (= 3)"), with("impl-too", "1", "Provides: api (= 4)"),
		with("desk", "1", "Depends: shell", "Recommends: docs, gone"), with("shell", "1", "Recommends: themes"), with("docs", "1", "Recommends: fonts"), with("themes", "1"), with("fonts", "1"),
		with("plain", "1", "Depends: bus"), with("a-bus", "1", "Provides: bus"), with("bus", "1"), with("loop", "1", "Depends: pool"), with("pool", "1", "Depends: loop"), with("sys", "1", "Depends: libc6"),
	}
	wish := func(names string) (wants []distro.Want) {
		for _, name := range strings.Fields(names) {
			name, recommends := strings.CutSuffix(name, "+")
			wants = append(wants, distro.Want{Name: name, Recommends: recommends})
		}
		return wants
	}
	open := func(packages []debtest.Package) distro.Archive {
		r := debtest.New(t, &debtest.Suite{Name: "stable", Architectures: []string{"amd64", "i386"}, Packages: append(debtest.Base(), packages...)})
		a, err := quick.Open(t.Context(), distro.ArchiveOptions{Arch: "amd64", MoreArchs: []string{"i386"}, Cache: t.TempDir(), Client: impatient(), Sources: []distro.Source{
			{Name: distro.MainSource, URL: r.FileURL(), Suite: "stable", Components: []string{"main"}, Keyring: r.Key.Armoured},
		}})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	archive := open(packages)
	base, err := archive.Resolve(t.Context(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ wants, others, want string }{
		{"loop", "tool", "loop 1, pool 1"},
		{"app", "tool", "app 1, early 1, lib-common 1, mta-a 1"},
		// Another mail server meets the second alternative.
		{"app", "mta-b", "app 1, early 1, lib-common 1, mta-b 1"},
		{"new", "old other", "new 2, tool 2"},
		// The version rules the first alternative out, if it is there for others.
		{"old", "new", "foreign 1, old 1, other 1"},
		{"lib", "lib:i386", "lib 1 amd64, lib 1 i386, lib-common 1"}, // more than is needed
		{"lib:i386", "lib", "lib 1 i386, lib-common 1"},
		{"versioned impl", "impl-too", "impl 1, impl-too 1, versioned 1"},
		{"versioned", "impl", "impl 1, versioned 1"},
		{"desk", "docs fonts", "desk 1, shell 1"},
		{"desk+", "tool", "desk 1, docs 1, fonts 1, shell 1, themes 1"},
		// The package of the name goes before those that provide it.
		{"plain", "a-bus bus", "bus 1, plain 1"},
		{"mta-b", "app", "mta-b 1"},
		{"apt", "tool", ""},
	} {
		all, err := archive.Resolve(t.Context(), base, wish(tc.wants+" "+tc.others))
		if err != nil {
			t.Errorf("%s and %s: %v", tc.wants, tc.others, err)
			continue
		}
		part, ok := Family{}.Within("amd64", all, base, wish(tc.wants))
		if !ok {
			t.Errorf("%s of %s: not known", tc.wants, tc.others)
			continue
		}
		var got []string
		var there []debtest.Package
		for _, p := range part.Minus(base).Packages {
			got = append(got, strings.TrimSuffix(p.Package.String(), " all"))
			there = append(there, packages[slices.IndexFunc(packages, func(o debtest.Package) bool { return o.Name == p.Name && (o.Arch == "" || o.Arch == p.Arch) })])
		}
		if strings.Join(got, ", ") != tc.want || len(part.Minus(all).Packages) > 0 || len(base.Minus(part).Packages) > 0 {
			t.Errorf("%s of %s: %s\nwant %s", tc.wants, tc.others, strings.Join(got, ", "), tc.want)
		}
		if alone, err := open(there).Resolve(t.Context(), nil, wish(tc.wants)); err != nil {
			t.Errorf("%s of %s: apt cannot install it: %v", tc.wants, tc.others, err)
		} else if len(alone.Packages) > len(part.Packages) {
			t.Errorf("%s of %s: apt installs %v", tc.wants, tc.others, alone.Names())
		}
	}
	all, err := archive.Resolve(t.Context(), base, wish("plain"))
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		all, have *distro.Closure
		wants     string
	}{
		"a wish without a package":       {all, base, "tool"},
		"a dependency without a package": {all.Minus(&distro.Closure{Packages: all.Packages[slices.Index(all.Names(), "bus"):][:1]}), base, "plain"},
		"a package that is replaced":     {all.Minus(&distro.Closure{Packages: base.Packages[:1]}), base, "plain"},
	} {
		if part, ok := (Family{}).Within("amd64", tc.all, tc.have, wish(tc.wants)); ok {
			t.Errorf("%s: %v", name, part.Names())
		}
	}
}
