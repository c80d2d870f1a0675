package debian

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/distro/debian/debtest"
	"github.com/treewright/treewright/builder/download"
)

// TestHolding: packages that are held are chosen in that version, also if the archive has
// none of them any more; those that are not held are as new as they can be.
func TestHolding(t *testing.T) {
	for name, more := range map[string][]string{"one source": nil, "several": {"stable-security"}} {
		t.Run(name, func(t *testing.T) {
			pkg := func(name, version, depends string) debtest.Package {
				p := debtest.Package{Name: name, Version: version}
				if depends != "" {
					p.Fields = map[string]string{"Depends": depends}
				}
				return p
			}
			stable := &debtest.Suite{Name: "stable", Packages: append(debtest.Base(), pkg("lib", "1", ""), pkg("prog", "1", "lib"), pkg("tool", "1", ""))}
			suites := []*debtest.Suite{stable}
			for _, m := range more {
				suites = append(suites, &debtest.Suite{Name: m, Packages: debtest.Stubs("other")})
			}
			repo := debtest.New(t, suites...)
			var sources []distro.Source
			for _, s := range suites {
				sources = append(sources, distro.Source{Name: strings.Replace(s.Name, "stable", "main", 1), URL: repo.FileURL(), Suite: s.Name, Components: []string{"main"}, Keyring: repo.Key.Keyring})
			}
			policy := Policy{}
			open := func() distro.Archive {
				a, err := policy.Open(t.Context(), distro.ArchiveOptions{Sources: sources, Arch: "amd64", Cache: t.TempDir(), Client: policy.Client(download.Once, func(string) {})})
				if err != nil {
					t.Fatal(err)
				}
				return a
			}
			wants := []distro.Want{{Name: "prog"}, {Name: "tool"}}
			a := open()
			base, err := a.Resolve(t.Context(), nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			before, err := a.Resolve(t.Context(), base, wants)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range before.Packages {
				_ = os.Remove(repo.Dir + "/" + p.Filename)
			}
			stable.Packages = append(debtest.Base(), pkg("lib", "2", ""), pkg("prog", "2", "lib (>= 2)"), pkg("tool", "2", ""), pkg("new", "1", ""))
			repo.Publish(t)
			now := open()
			held := func(names ...string) []distro.Archived {
				return slices.DeleteFunc(slices.Clone(before.Packages), func(p distro.Archived) bool { return slices.Contains(names, p.Name) })
			}
			all, err := now.Holding(before.Packages).Resolve(t.Context(), base, append(wants, distro.Want{Name: "new"}))
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range before.Packages {
				if !slices.Contains(all.Packages, p) {
					t.Errorf("%s does not stay as it was", p.Package)
				}
			}
			if got := resolved(t, now.Holding(held("tool")), wants...); !slices.Equal(got, []string{"lib 1 main", "prog 1 main", "tool 2 main"}) {
				t.Errorf("with a new tool: %v", got)
			}
			_, err = now.Holding(held("prog")).Resolve(t.Context(), base, wants)
			var unsolvable *distro.UnsolvableError
			if !errors.As(err, &unsolvable) || !strings.Contains(unsolvable.Reason, "lib") {
				t.Errorf("with a new prog that needs a new lib the error is %v", err)
			}
			if got := resolved(t, now.Holding(held("prog", "lib")), wants...); !slices.Equal(got, []string{"lib 2 main", "prog 2 main", "tool 1 main"}) {
				t.Errorf("with a new prog and lib: %v", got)
			}
		})
	}
}
