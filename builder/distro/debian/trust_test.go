package debian

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/distro/debian/debtest"
)

// TestOwnAuthority: an archive with a certificate by an authority that this machine
// does not know is read with ca, by apt and by our own client, with a password as
// well; without, the message says how.
func TestOwnAuthority(t *testing.T) {
	r := stable(t)
	m := r.ServeTLS(t)
	m.User, m.Password = "me", "hidden-word"
	auth := filepath.Join(t.TempDir(), "auth.conf")
	if err := os.WriteFile(auth, []byte("machine 127.0.0.1 login me password hidden-word\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := strict
	p.Auth = []string{auth}
	s := sourceOf(r, m.URL)
	var fault *distro.SourceError
	if _, err := openSource(t, p, s, t.TempDir()); !errors.As(err, &fault) || !strings.Contains(fault.Detail, `in the field ca, as in "keys/ca.pem"`) {
		t.Errorf("without the authority: %v", err)
	}
	s.CA = r.ServeTLS(t).CA
	if _, err := openSource(t, p, s, t.TempDir()); !errors.As(err, &fault) || fault.Summary != "Certificate that is not trusted" {
		t.Errorf("with another authority: %v", err)
	}
	s.CA = r.Key.Armoured
	if _, err := openSource(t, p, s, t.TempDir()); !errors.As(err, &fault) || fault.Field != distro.CAField || !strings.Contains(fault.Detail, "no certificate in PEM form") {
		t.Errorf("with a file that is something else: %v", err)
	}
	s.CA = filepath.Join(t.TempDir(), "own ca.pem")
	if err := os.Link(m.CA, s.CA); err != nil {
		t.Fatal(err)
	}
	cache := t.TempDir()
	var a *Archive
	for range 2 { // by apt, then by our own client
		var err error
		if a, err = openSource(t, p, s, cache); err != nil {
			t.Fatal(err)
		}
	}
	c, err := a.Resolve(t.Context(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	hints := distro.FetchHints{Mirrors: map[string][]string{distro.MainSource: {m.URL}}, Cache: cache + "/packages", Proxies: strict.Options, Secrets: p.Secrets(), CAs: map[string]string{distro.MainSource: s.CA}}
	if _, err := (Family{}).Fetch(t.Context(), c.Index(), t.TempDir(), hints, func(int64, int64) {}, func(string) {}); err != nil {
		t.Error(err)
	}
}

// TestFlatAndLocal: flat archives and directories are read to the last package.
func TestFlatAndLocal(t *testing.T) {
	for _, suite := range []string{"./", "sub/", "stable"} {
		r := debtest.New(t, &debtest.Suite{Name: suite, Packages: append(debtest.Base(), debtest.Package{Name: "hello", Arch: "amd64"})})
		for _, url := range []string{r.FileURL(), r.Serve(t).URL} {
			s := sourceOf(r, url)
			if s.Suite = suite; s.Flat() {
				s.Components = nil
			}
			cache := t.TempDir()
			a, err := openSource(t, strict, s, cache)
			if err != nil {
				t.Fatal(err)
			}
			c, err := a.Resolve(t.Context(), nil, []distro.Want{{Name: "hello"}})
			if err != nil {
				t.Fatal(err)
			}
			hints := distro.FetchHints{Mirrors: map[string][]string{distro.MainSource: {url}}, Cache: cache + "/packages", Proxies: strict.Options}
			if _, err := (Family{}).Fetch(t.Context(), c.Index(), t.TempDir(), hints, func(int64, int64) {}, func(string) {}); err != nil {
				t.Errorf("%s %s: %v", url, suite, err)
			}
		}
	}
}
