package debtest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/sandbox"
)

// apt asks apt itself, in a root of its own, and returns what it would install.
// A source is a line of sources.list(5).
func apt(t *testing.T, source string, packages ...string) (string, error) {
	t.Helper()
	need(t, "apt-get")
	root := t.TempDir()
	for _, dir := range []string{"etc/apt/preferences.d", "etc/apt/apt.conf.d", "lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, root+"/etc/apt/sources.list", source+"\n")
	write(t, root+"/apt.conf", `Dir "/"; Dir::Etc "`+root+`/etc/apt"; Dir::State::lists "`+root+`/lists"; Dir::State::status "/dev/null"; Dir::Cache "`+root+`/cache";
		APT::Architecture "amd64"; APT::Architectures { "amd64"; }; APT::Sandbox::User "root"; APT::Install-Recommends "false";
		Acquire::Check-Valid-Until "true"; Acquire::http::Proxy "DIRECT"; Acquire::https::Proxy "DIRECT"; Acquire::Languages "none";`)
	env := sandbox.HostEnv()
	env["APT_CONFIG"] = root + "/apt.conf"
	if _, err := (sandbox.Command{Argv: []string{"apt-get", "update", "-qq", "-o", "APT::Update::Error-Mode=any"}, Env: env}).Output(t.Context()); err != nil {
		return "", err
	}
	out, err := sandbox.Command{Argv: append([]string{"apt-get", "install", "--simulate", "-q"}, packages...), Env: env}.Output(t.Context())
	return string(out), err
}

func small(name string, more ...Package) *Suite {
	return &Suite{Name: name, Packages: append(Base(), more...)}
}

// TestAptTakesIt: apt accepts what is published, in each form.
func TestAptTakesIt(t *testing.T) {
	xz, plain := ".xz", ""
	hello := Package{Name: "hello", Version: "1:2-1", Arch: "amd64", Fields: map[string]string{"Depends": "greeting"}, Files: map[string]string{"/usr/bin/hello": "#!/bin/sh\n"}}
	for name, s := range map[string]*Suite{
		"gzip": small("stable", hello), "xz": {Name: "stable", Compression: &xz, Packages: []Package{hello}},
		"plain": {Name: "stable", Compression: &plain, Packages: []Package{hello}}, "detached": {Name: "stable", Detached: true, Packages: []Package{hello}},
		"flat": {Name: "./", Packages: []Package{hello}}, "flat below": {Name: "sub/", Packages: []Package{hello}},
		"a date ahead": {Name: "stable", Packages: []Package{hello}, ValidUntil: time.Now().Add(time.Hour)},
	} {
		t.Run(name, func(t *testing.T) {
			where := s.Name
			greeting := Package{Name: "greeting"}
			if flat(s.Name) {
				s.Packages = append(s.Packages, greeting)
			} else {
				s.Components = map[string][]Package{"extra": {greeting}}
				where += " main extra"
			}
			r := New(t, s)
			for _, url := range []string{r.Serve(t).URL, r.FileURL()} {
				out, err := apt(t, "deb [signed-by="+r.Key.Keyring+"] "+url+" "+where, "hello")
				if err != nil || !strings.Contains(out, "Inst hello (1:2-1 ") || !strings.Contains(out, "Inst greeting (1 ") {
					t.Errorf("%s: error %v\n%s", url, err, out)
				}
			}
		})
	}
}

// TestAptRefusesIt: and refuses what is faulty, for the reason that is meant.
func TestAptRefusesIt(t *testing.T) {
	for name, tc := range map[string]struct {
		s    *Suite
		want string
	}{
		"unsigned":     {&Suite{Unsigned: true}, "is not signed"},
		"wrong key":    {&Suite{Key: NewKey(t, "other")}, "NO_PUBKEY"},
		"expired":      {&Suite{ValidUntil: time.Now().Add(-48 * time.Hour)}, "is expired"},
		"too early":    {&Suite{Date: time.Now().Add(48 * time.Hour)}, "is not valid yet"},
		"an old key":   {&Suite{Key: ShortKey(t, "old")}, "NO_PUBKEY"},
		"other suites": {&Suite{Name: "testing"}, "does not have a Release file"},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.s.Name == "" {
				tc.s.Name = "stable"
			}
			tc.s.Packages = Base()
			r := New(t, tc.s)
			if _, err := apt(t, "deb [signed-by="+r.Key.Keyring+"] "+r.Serve(t).URL+" stable main"); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %s", err, tc.want)
			}
		})
	}
	t.Run("expired key", func(t *testing.T) {
		key := ShortKey(t, "old")
		s := small("stable")
		s.Key = key
		r := New(t, s)
		if _, err := apt(t, "deb [signed-by="+key.Armoured+"] "+r.Serve(t).URL+" stable main"); err == nil || !strings.Contains(err.Error(), "EXPKEYSIG") {
			t.Errorf("error %v", err)
		}
	})
}

// TestPublishedAgain: what is not in the value any more is gone, and what is the
// same has the same bytes.
func TestPublishedAgain(t *testing.T) {
	hello, other := Package{Name: "hello"}, Package{Name: "other"}
	r := New(t, small("stable", hello, other))
	kept, gone := r.File("stable", "main", hello), r.File("stable", "main", other)
	before, err := os.ReadFile(kept)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(gone); err != nil {
		t.Fatal(err)
	}
	r.Suite("stable").Packages = append(Base(), hello)
	r.Publish(t)
	if after, err := os.ReadFile(kept); err != nil || string(after) != string(before) {
		t.Errorf("%s is another file now: %v", kept, err)
	}
	if _, err := os.Stat(gone); err == nil {
		t.Errorf("%s is still there", gone)
	}
	r.Suite("stable").Packages[len(Base())].Files = map[string]string{"/etc/hello": "changed"}
	r.Publish(t)
	if after, err := os.ReadFile(kept); err != nil || string(after) == string(before) {
		t.Errorf("%s is the same file still: %v", kept, err)
	}
}

// TestMirror: passwords, certificates, listings and faults.
func TestMirror(t *testing.T) {
	r := New(t, small("stable"))
	m := r.ServeTLS(t)
	m.User, m.Password = "me", "secret"
	ca, err := os.ReadFile(m.CA)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca) {
		t.Fatal("the authority's file has no certificate")
	}
	trusting := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	get := func(c *http.Client, file, password string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, m.URL+file, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.SetBasicAuth("me", password)
		resp, err := c.Do(req)
		if err != nil {
			return 0, err.Error()
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}
	if code, text := get(trusting, "/dists/stable/InRelease", "secret"); code != 200 || !strings.Contains(text, "Suite: stable") {
		t.Errorf("%d %s", code, text)
	}
	if code, _ := get(trusting, "/dists/stable/InRelease", "wrong"); code != 401 {
		t.Errorf("a wrong password gets %d", code)
	}
	if code, text := get(&http.Client{}, "/", "secret"); code != 0 {
		t.Errorf("who does not know the authority gets %d %s", code, text)
	}
	if code, text := get(trusting, "/dists/", "secret"); code != 200 || !strings.Contains(text, `href="stable/"`) {
		t.Errorf("listing: %d %s", code, text)
	}
	m.NoListing = true
	if code, _ := get(trusting, "/dists/", "secret"); code != 404 {
		t.Errorf("no listing: %d", code)
	}
	m.Is(func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(503)
		return true
	})
	if code, _ := get(trusting, "/x", "secret"); code != 503 {
		t.Errorf("a fault: %d", code)
	}
	if asked := m.Asked(); !slices.Contains(asked, "/x") || !slices.Contains(asked, "/dists/stable/InRelease") {
		t.Errorf("asked for %q", asked)
	}
}
