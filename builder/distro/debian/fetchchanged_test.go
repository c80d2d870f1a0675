package debian

import (
	"fmt"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/distro/debian/debtest"
)

// TestArchiveChangesBeforeTheFetch: whatever happened to a package since it was
// chosen, the error names the source and its place, and says to run again; and the
// next run works.
func TestArchiveChangesBeforeTheFetch(t *testing.T) {
	hello := debtest.Package{Name: "hello", Files: map[string]string{"/etc/hello": "one"}}
	for _, suite := range []string{"stable", "./"} {
		for name, tc := range map[string]struct {
			change func(r *debtest.Repo, m *debtest.Mirror)
			says   string
		}{
			"gone": {func(r *debtest.Repo, _ *debtest.Mirror) {
				r.Suite(suite).Packages = append(debtest.Base(), debtest.Package{Name: "hello", Version: "2"})
				r.Publish(t)
			}, "The archive has changed since its index was read. Run again"},
			"replaced": {func(r *debtest.Repo, _ *debtest.Mirror) {
				r.Suite(suite).Packages = append(debtest.Base(), debtest.Package{Name: "hello", Files: map[string]string{"/etc/hello": "two"}})
				r.Publish(t)
			}, "The archive has changed since its index was read. Run again"},
			"with a password": {func(_ *debtest.Repo, m *debtest.Mirror) { m.User, m.Password = "me", "hidden" }, "No entry for it was found"},
		} {
			for _, local := range []bool{false, true} {
				if local && name == "with a password" {
					continue
				}
				t.Run(fmt.Sprintf("%s %s local %v", suite, name, local), func(t *testing.T) {
					t.Parallel()
					r := debtest.New(t, &debtest.Suite{Name: suite, Packages: append(debtest.Base(), hello)})
					m := r.Serve(t)
					s := sourceOf(r, m.URL)
					if s.Suite = suite; local {
						s.URL = r.FileURL()
					}
					if s.Flat() {
						s.Components = nil
					}
					cache, change := t.TempDir(), tc.change
					fetch := func() (string, error) {
						a, err := openSource(t, strict, s, cache)
						if err != nil {
							t.Fatal(err)
						}
						c, err := a.Resolve(t.Context(), nil, []distro.Want{{Name: "hello"}})
						if err != nil {
							t.Fatal(err)
						}
						change(r, m)
						hints := distro.FetchHints{Mirrors: map[string][]string{"third": {s.URL}}, Places: map[string]string{"third": "flavours/x.hcl:12"}, From: map[string]string{}, Cache: cache + "/packages"}
						for _, p := range c.Packages {
							hints.From[p.SHA256] = "third"
						}
						_, err = fetch(t.Context(), c.Index(), t.TempDir(), hints, impatient(), func(int64, int64) {})
						return c.Digest(), err
					}
					before, err := fetch()
					if err == nil || !strings.Contains(err.Error(), `of the source "third" (flavours/x.hcl:12): `) || !strings.Contains(err.Error(), tc.says) {
						t.Fatalf("error %v", err)
					}
					if m.User != "" {
						return
					}
					change = func(*debtest.Repo, *debtest.Mirror) {}
					if after, err := fetch(); err != nil || after == before {
						t.Errorf("the next run: the same packages: %v, error %v", after == before, err)
					}
				})
			}
		}
	}
}
