package debian

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/distro/debian/debtest"
	"github.com/treewright/treewright/builder/download"
)

// strict is a policy that honours dates, as apt does by itself.
var strict = Policy{Options: append(slices.Clone(quick.Options), [2]string{"Acquire::Check-Valid-Until", "true"}, [2]string{"Acquire::https::Proxy", "DIRECT"})}

// soon tries as often as a build, without pauses.
var soon = download.Timing{Answer: 20 * time.Second, Stall: 20 * time.Second, Pauses: []time.Duration{1, 1, 1}}

// stable is an archive with one suite of two components.
func stable(t *testing.T) *debtest.Repo {
	t.Helper()
	return debtest.New(t, &debtest.Suite{Name: "stable", Packages: debtest.Base(), Components: map[string][]debtest.Package{"contrib": debtest.Stubs("extra")}})
}

func sourceOf(r *debtest.Repo, url string) distro.Source {
	return distro.Source{Name: "third", URL: url, Suite: "stable", Components: []string{"main"}, Keyring: r.Key.Keyring}
}

func openSource(t *testing.T, p Policy, s distro.Source, cache string) (*Archive, error) {
	t.Helper()
	return p.openArchive(t.Context(), distro.ArchiveOptions{Arch: "amd64", Sources: []distro.Source{s}, Cache: cache, Client: p.Client(soon, func(string) {})})
}

// fault is what a [distro.SourceError] is to be: value and known are parts of those that
// it has, and says parts of its text.
type fault struct {
	field, value string
	says         []string
	known        string
	outside      bool
}

// TestFaultsOfSources: what is wrong with a source is known by field and value, and
// with what would do, whatever the words of this machine's apt.
func TestFaultsOfSources(t *testing.T) {
	other := debtest.NewKey(t, "other")
	old := debtest.ShortKey(t, "old")
	for name, tc := range map[string]struct {
		spoil func(r *debtest.Repo, m *debtest.Mirror, s *distro.Source)
		want  fault
	}{
		"a suite": {func(_ *debtest.Repo, _ *debtest.Mirror, s *distro.Source) { s.Suite = "stabel" },
			fault{distro.SuitesField, "stabel", []string{`has no suite "stabel"`}, "stable", false}},
		"a suite, and no list of them": {func(_ *debtest.Repo, m *debtest.Mirror, s *distro.Source) { s.Suite, m.NoListing = "tesitng", true },
			fault{distro.SuitesField, "tesitng", []string{`has no suite "tesitng"`}, "testing", false}},
		"a suite that has moved": {func(_ *debtest.Repo, _ *debtest.Mirror, s *distro.Source) { s.Suite = "stretch" },
			fault{distro.SuitesField, "stretch", []string{"http://archive.debian.org/debian"}, "", false}},
		"security beside": {func(_ *debtest.Repo, _ *debtest.Mirror, s *distro.Source) { s.Suite = "stable-security" },
			fault{distro.SuitesField, "stable-security", []string{"http://security.debian.org/debian-security"}, "", false}},
		"security of others": {func(_ *debtest.Repo, _ *debtest.Mirror, s *distro.Source) {
			s.Name, s.Keyring = "security", other.Keyring
		},
			fault{distro.KeyringField, "", []string{other.Fingerprint, "name it by security_mirror"}, "", true}},
		"security itself": {func(_ *debtest.Repo, _ *debtest.Mirror, s *distro.Source) {
			s.Name, s.Suite = distro.MainSource, "stable-security"
		},
			fault{distro.SuitesField, "stable-security", []string{`the suite is "stable".`}, "", false}},
		"a mirror beside": {func(_ *debtest.Repo, m *debtest.Mirror, s *distro.Source) {
			s.URL += "/debain"
			m.Is(func(w http.ResponseWriter, r *http.Request) bool {
				path, ok := strings.CutPrefix(r.URL.Path, "/debian")
				if r.URL.Path = path; !ok {
					http.Error(w, "no such archive", http.StatusBadRequest)
				}
				return !ok
			})
		},
			fault{distro.URLsField, "http://127", []string{"it is not the URL of an archive"}, "/debian", false}},
		"a component": {func(_ *debtest.Repo, _ *debtest.Mirror, s *distro.Source) {
			s.Components = []string{"main", "contribb"}
		},
			fault{distro.ComponentsField, "contribb", []string{`no component "contribb"`, "contrib and main"}, "contrib", false}},
		"an architecture": {func(_ *debtest.Repo, _ *debtest.Mirror, s *distro.Source) {
			s.Architectures = []string{"amd64", "arm64"}
		},
			fault{distro.ArchitecturesField, "arm64", []string{"no packages for arm64", "It has amd64."}, "", false}},
		"a host": {func(_ *debtest.Repo, _ *debtest.Mirror, s *distro.Source) {
			s.URL = "http://no-such-host.invalid/debian"
		},
			fault{distro.URLsField, "http://no-such-host.invalid/debian", []string{`no host "no-such-host.invalid"`}, "", true}},
		"nothing there": {func(_ *debtest.Repo, m *debtest.Mirror, s *distro.Source) { s.URL += "/other" },
			fault{distro.URLsField, "/other", []string{"no directory dists/stable"}, "", false}},
		"a directory too few": {func(r *debtest.Repo, _ *debtest.Mirror, _ *distro.Source) {
			dirs, _ := filepath.Glob(r.Dir + "/*")
			os.Mkdir(r.Dir+"/debian", 0o755)
			for _, d := range dirs {
				os.Rename(d, r.Dir+"/debian/"+filepath.Base(d))
			}
		}, fault{distro.URLsField, "http://127", []string{"no directory dists/stable"}, "/debian", false}},
		"flat": {func(r *debtest.Repo, _ *debtest.Mirror, _ *distro.Source) {
			r.Suites = []*debtest.Suite{{Name: "./", Packages: debtest.Base()}}
			r.Publish(t)
		}, fault{distro.SuitesField, "stable", []string{"the archive is flat", `"./"`}, "", false}},
		"not flat": {func(_ *debtest.Repo, _ *debtest.Mirror, s *distro.Source) { s.Suite, s.Components = "./", nil },
			fault{distro.SuitesField, "./", []string{"not flat: its suites are stable"}, "", false}},
		"another key": {func(r *debtest.Repo, _ *debtest.Mirror, _ *distro.Source) {
			r.Suite("stable").Key = other
			r.Publish(t)
		}, fault{distro.KeyringField, "", []string{"signed by the key " + other.Fingerprint, "archive@example.org", "/archive.gpg"}, "", true}},
		"an expired key": {func(r *debtest.Repo, _ *debtest.Mirror, s *distro.Source) {
			r.Suite("stable").Key, s.Keyring = old, old.Keyring
			r.Publish(t)
		}, fault{distro.KeyringField, "", []string{old.Fingerprint + " (old <old@example.org>)", "expired on 2 January 2020"}, "", true}},
		"no signature": {func(r *debtest.Repo, _ *debtest.Mirror, _ *distro.Source) {
			r.Suite("stable").Unsigned = true
			r.Publish(t)
		}, fault{distro.URLsField, "http://127", []string{"is not signed"}, "", true}},
		"another key, detached": {func(r *debtest.Repo, _ *debtest.Mirror, _ *distro.Source) {
			r.Suite("stable").Key, r.Suite("stable").Detached = other, true
			r.Publish(t)
		}, fault{distro.KeyringField, "", []string{other.Fingerprint}, "", true}},
		"expired": {func(r *debtest.Repo, _ *debtest.Mirror, _ *distro.Source) {
			r.Suite("stable").ValidUntil = time.Date(2024, 2, 3, 4, 5, 6, 0, time.UTC)
			r.Publish(t)
		}, fault{distro.SuitesField, "stable", []string{"good until 3 February 2024, 04:05 UTC", "Check-Valid-Until"}, "", true}},
		"too early": {func(r *debtest.Repo, _ *debtest.Mirror, _ *distro.Source) {
			r.Suite("stable").Date = time.Now().Add(72 * time.Hour)
			r.Publish(t)
		}, fault{distro.SuitesField, "stable", []string{"look at the clock"}, "", true}},
		"a password": {func(_ *debtest.Repo, m *debtest.Mirror, _ *distro.Source) { m.User, m.Password = "me", "hidden" },
			fault{distro.URLsField, "http://127", []string{"401 Unauthorized", "No entry for it was found", "machine http://127.0.0.1"}, "", true}},
		"a keybox": {func(_ *debtest.Repo, _ *debtest.Mirror, s *distro.Source) {
			s.Keyring = filepath.Join(t.TempDir(), "box.gpg")
			os.WriteFile(s.Keyring, []byte("\x00\x00\x00\x20\x01\x01\x00\x02KBXf and more"), 0o644)
		}, fault{distro.KeyringField, "", []string{"keybox", "gpg --export"}, "", false}},
		"a page of a proxy": {func(_ *debtest.Repo, m *debtest.Mirror, _ *distro.Source) {
			m.Is(func(w http.ResponseWriter, _ *http.Request) bool {
				w.Write([]byte("<html>log in</html>"))
				return true
			})
		}, fault{distro.URLsField, "http://127", []string{"is not a release file", "login"}, "", true}},
	} {
		for _, before := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/read before=%v", name, before), func(t *testing.T) {
				t.Parallel()
				r := stable(t)
				m := r.Serve(t)
				s, cache := sourceOf(r, m.URL), t.TempDir()
				if before { // apt has other words for an archive that was right once
					if _, err := openSource(t, strict, s, cache); err != nil {
						t.Fatal(err)
					}
				}
				tc.spoil(r, m, &s)
				_, err := openSource(t, strict, s, cache)
				tc.want.check(t, s.Name, err)
			})
		}
	}
}

// check reports whether an error is the fault.
func (want *fault) check(t *testing.T, source string, err error) {
	t.Helper()
	var got *distro.SourceError
	if !errors.As(err, &got) {
		t.Fatalf("error %v", err)
	}
	if got.Source != source || got.Field != want.field || !strings.Contains(got.Value, want.value) || got.Outside != want.outside {
		t.Errorf("source %q, field %q, value %q, outside %v: %s", got.Source, got.Field, got.Value, got.Outside, got.Detail)
	}
	for _, part := range want.says {
		if !strings.Contains(got.Detail, part) {
			t.Errorf("%q is not in: %s", part, got.Detail)
		}
	}
	if known := strings.Join(got.Known, " "); !strings.Contains(known, want.known) {
		t.Errorf("known are %q, want %q", known, want.known)
	}
}

// TestDatesByPolicy: a machine whose apt accepts old release files is believed.
func TestDatesByPolicy(t *testing.T) {
	r := stable(t)
	r.Suite("stable").ValidUntil = time.Date(2024, 2, 3, 4, 5, 6, 0, time.UTC)
	r.Publish(t)
	lax := Policy{Options: append(slices.Clone(quick.Options), [2]string{"Acquire::Check-Valid-Until", "false"})}
	if _, err := openSource(t, lax, sourceOf(r, r.FileURL()), t.TempDir()); err != nil {
		t.Error(err)
	}
	if _, err := openSource(t, strict, sourceOf(r, r.FileURL()), t.TempDir()); err == nil {
		t.Error("an old release file is accepted")
	}
	if said := lax.String(); !strings.Contains(said, "Check-Valid-Until=false") {
		t.Errorf("the user is told %q", said)
	}
}

// TestFaultsWithoutNetwork: a component that is not there is found offline as well.
func TestFaultsWithoutNetwork(t *testing.T) {
	r, cache := stable(t), t.TempDir()
	s := sourceOf(r, r.FileURL())
	s.Components = []string{"main", "contribb"}
	if _, err := openSource(t, strict, s, cache); err == nil {
		t.Fatal("online, nothing is wrong")
	}
	_, err := strict.openArchive(t.Context(), distro.ArchiveOptions{Arch: "amd64", Sources: []distro.Source{s}, Cache: cache, Client: impatient(), Offline: true})
	var got *distro.SourceError
	if !errors.As(err, &got) || got.Value != "contribb" {
		t.Errorf("error %v", err)
	}
}

// TestAProxyThatIsLookedFor: a machine with a program that finds proxies is left to
// apt.
func TestAProxyThatIsLookedFor(t *testing.T) {
	r := stable(t)
	away := httptest.NewServer(http.NotFoundHandler())
	defer away.Close()
	p := Policy{Options: append(slices.Clone(strict.Options), [2]string{"Acquire::http::Proxy-Auto-Detect", "/bin/true"})}
	_, err := openSource(t, p, sourceOf(r, away.URL), t.TempDir())
	var got *distro.SourceError
	if !errors.As(err, &got) || !strings.Contains(got.Detail, "does not have a Release file") {
		t.Errorf("error %v", err)
	}
}
