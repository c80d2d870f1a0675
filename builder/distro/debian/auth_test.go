package debian

import (
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/treetest"
)

// TestAuthEntries: an entry is for the URLs that apt_auth.conf(5) says.
func TestAuthEntries(t *testing.T) {
	for _, tc := range []struct {
		machine, url string
		want         bool
	}{
		{"example.org", "https://example.org/debian/dists", true}, {"example.org", "https://example.org:8443/debian", true},
		{"example.org:443", "https://example.org/debian", false}, {"example.org:8443", "https://example.org:8443/debian", true},
		{"example.org/deb", "https://example.org/debian", true}, {"example.org/debian/", "https://example.org/debian/x", true},
		{"example.org/deb/", "https://example.org/debian", false}, {"example.org/ubuntu", "https://example.org/debian", false},
		{"example.orga", "https://example.org/debian", false}, {"example.or", "https://example.org/debian", false},
		{"example.org", "http://example.org/debian", false}, {"http://example.org", "http://example.org/debian", true},
		{"http://example.org", "https://example.org/debian", false}, {"https://example.org", "https://example.org/debian", true},
		{"http://127.0.0.1:80/a", "http://127.0.0.1:80/a/b", true}, {"http://127.0.0.1/a", "http://127.0.0.1:80/a/b", false},
	} {
		u, err := url.Parse(tc.url)
		if err != nil {
			t.Fatal(err)
		}
		entries := auth(parseAuth("f", "machine other login x password y\nmachine "+tc.machine+"\n\tlogin me\n\tpassword hidden\n"))
		if got := entries.of(u) != nil; got != tc.want {
			t.Errorf("%s is for %s: %v", tc.machine, tc.url, got)
		}
	}
	// Half of an entry is not an entry.
	for _, text := range []string{"", "machine", "machine example.org", "login me password x", "machine example.org login"} {
		if u, _ := url.Parse("https://example.org/"); auth(parseAuth("f", text)).of(u) != nil {
			t.Errorf("%q has a password", text)
		}
	}
}

// TestHostAuth: the files are those that apt's settings name.
func TestHostAuth(t *testing.T) {
	dir := treetest.Lay(t, t.TempDir(), "etc/apt/auth.conf", "etc/apt/auth.conf.d/b.conf", "etc/apt/auth.conf.d/a.conf", "etc/apt/auth.conf.d/a.conf~", "etc/apt/auth.conf.d/d.conf/", "own.conf")
	dump := "Dir\t" + dir + "/\nDir::Etc\tetc/apt\nDir::Etc::netrc\tauth.conf\nDir::Etc::netrcparts\tauth.conf.d\n"
	at := func(names ...string) (files []string) {
		for _, name := range names {
			files = append(files, filepath.Join(dir, name))
		}
		return files
	}
	if got, want := hostAuth(dump), at("etc/apt/auth.conf", "etc/apt/auth.conf.d/a.conf", "etc/apt/auth.conf.d/b.conf"); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := hostAuth(strings.Replace(dump, "\tauth.conf\n", "\t"+dir+"/own.conf\n", 1)), at("own.conf"); !slices.Equal(got[:1], want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := hostAuth("Dir\t/\n"); len(got) > 0 {
		t.Errorf("without a setting: %q", got)
	}
}

// TestPasswords: apt and our own downloads give a mirror the password from a file,
// which is in nothing that is kept or said.
func TestPasswords(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	r := stable(t)
	m := r.Serve(t)
	m.User, m.Password = "me", "hidden-word"
	file, cache := filepath.Join(t.TempDir(), "auth.conf"), t.TempDir()
	p := strict
	p.Auth = []string{filepath.Join(t.TempDir(), "gone.conf"), file}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, tc := range map[string]struct{ text, says string }{
		"no entry":  {"machine http://elsewhere login me password hidden-word", "No entry for it was found"},
		"https":     {"machine " + strings.TrimPrefix(m.URL, "http://") + " login me password hidden-word", "is for https only"},
		"not right": {"machine " + m.URL + " login me password hidden-other", "does not accept the name and password for the machine"},
	} {
		write(tc.text)
		_, err := openSource(t, p, sourceOf(r, m.URL), t.TempDir())
		var fault *distro.SourceError
		if !errors.As(err, &fault) || !strings.Contains(fault.Detail, tc.says) || strings.Contains(fault.Detail, "hidden") {
			t.Errorf("%s: %v", name, err)
		}
	}
	write("machine " + m.URL + "\nlogin me\npassword hidden-word\n")
	a, err := openSource(t, p, sourceOf(r, m.URL), cache)
	if err != nil {
		t.Fatal(err)
	}
	// Asked again, it is by our own client.
	if _, err := openSource(t, p, sourceOf(r, m.URL), cache); err != nil {
		t.Fatal(err)
	}
	c, err := a.Resolve(t.Context(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	hints := distro.FetchHints{Mirrors: map[string][]string{"third": {m.URL}}, From: map[string]string{}, Cache: cache + "/packages", Proxies: strict.Options, Secrets: p.Secrets()}
	for _, one := range c.Packages {
		hints.From[one.SHA256] = "third"
	}
	if _, err := (Family{}).Fetch(t.Context(), c.Index(), out, hints, func(int64, int64) {}, func(string) {}); err != nil {
		t.Fatal(err)
	}
	if left, err := layer.Glob(plainTemp(), "treewright-auth-*"); err != nil || len(left) > 0 {
		t.Errorf("left: %q, %v", left, err)
	}
	if found := treetest.Holding(t, filepath.Dir(file), "hidden-word"); len(found) != 1 {
		t.Errorf("where it is, the password is found in %q", found)
	}
	for _, dir := range []string{cache, out} {
		if found := treetest.Holding(t, dir, "hidden-word"); len(found) > 0 {
			t.Errorf("the password is in %q", found)
		}
	}
}
