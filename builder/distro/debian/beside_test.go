package debian

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/distro/debian/debtest"
)

// TestMissingPackagesBeside: a package in another component, or in the backports, is
// found there, offline as well once it was asked; a mirror that fails then costs
// nothing but the hint.
func TestMissingPackagesBeside(t *testing.T) {
	r := debtest.New(t,
		&debtest.Suite{Name: "trixie", Packages: debtest.Base(), Components: map[string][]debtest.Package{"contrib": nil, "non-free": debtest.Stubs("firmware")}},
		&debtest.Suite{Name: "trixie-backports", Packages: debtest.Stubs("newer")})
	m := r.Serve(t)
	s := sourceOf(r, m.URL)
	s.Name, s.Suite = distro.MainSource, "trixie"
	ask := func(cache string, offline bool) *distro.UnknownError {
		t.Helper()
		a, err := strict.openArchive(t.Context(), distro.ArchiveOptions{Arch: "amd64", Sources: []distro.Source{s}, Cache: cache, Client: impatient(), Offline: offline})
		if err != nil {
			t.Fatal(err)
		}
		var unknown *distro.UnknownError
		if _, err := a.Resolve(t.Context(), nil, []distro.Want{{Name: "firmware"}, {Name: "newer"}, {Name: "none"}}); !errors.As(err, &unknown) || len(unknown.Missing) != 3 {
			t.Fatalf("error %v", err)
		}
		return unknown
	}
	cache := t.TempDir()
	if got := ask(t.TempDir(), false); len(got.Beside) != 2 {
		t.Errorf("%v", got.Beside)
	}
	for _, offline := range []bool{false, true} {
		got := ask(cache, offline).Beside
		if in := got["firmware"]; in.Suite != "trixie" || strings.Join(in.Components, " ") != "non-free" {
			t.Errorf("offline %v: firmware is in %v", offline, in)
		}
		if in := got["newer"]; in.Suite != "trixie-backports" {
			t.Errorf("offline %v: newer is in %v", offline, in)
		}
		if _, ok := got["none"]; ok {
			t.Errorf("offline %v: what nobody has is somewhere", offline)
		}
	}
	fresh := t.TempDir()
	if _, err := openSource(t, strict, s, fresh); err != nil {
		t.Fatal(err)
	}
	if got := ask(fresh, true).Beside; len(got) > 0 {
		t.Errorf("offline, without having asked: %v", got)
	}
	m.Is(func(w http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.URL.Path, "non-free") || strings.Contains(r.URL.Path, "backports") {
			http.Error(w, "no", http.StatusInternalServerError)
			return true
		}
		return false
	})
	if got := ask(fresh, false).Beside; len(got) > 0 {
		t.Errorf("from a mirror that fails: %v", got)
	}
}
