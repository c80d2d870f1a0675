package debian

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/download"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/treetest"
)

// shelf is an archive on this machine, signed with a key of its own, that shows
// version 1 or 2 (testdata/archive), and is as faulty as a test wants it.
type shelf struct {
	*httptest.Server
	version atomic.Int32
	mu      sync.Mutex
	fault   func(http.ResponseWriter, *http.Request) bool
}

func newShelf(t *testing.T) *shelf {
	t.Helper()
	if _, err := exec.LookPath("apt-get"); err != nil {
		treetest.Skip(t, "needs apt: this machine has none")
	}
	s := &shelf{}
	s.version.Store(1)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		fault := s.fault
		s.mu.Unlock()
		if fault != nil && fault(w, r) {
			return
		}
		// Without a time: both versions are of one second, perhaps.
		text, err := os.ReadFile(filepath.Join("testdata/archive", fmt.Sprint(s.version.Load()), filepath.Clean(r.URL.Path)))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		w.Write(text)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *shelf) is(fault func(http.ResponseWriter, *http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = fault
}

// stalls answers for a file with half of its header's promise, and then nothing.
func stalls(name string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, name) {
			return false
		}
		w.Header().Set("Content-Length", "421")
		fmt.Fprint(w, "-----BEGIN PGP SIGNED")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		return true
	}
}

func (s *shelf) source(t *testing.T) distro.Source {
	keyring, err := filepath.Abs("testdata/archive/keyring.gpg")
	if err != nil {
		t.Fatal(err)
	}
	return distro.Source{URL: s.URL, Suite: "stable", Components: []string{"main"}, Keyring: keyring}
}

// quick is what a host's policy says in these tests.
var quick = Policy{Options: [][2]string{{"Acquire::Retries", "0"}, {"Acquire::http::Proxy", "DIRECT"}, {"Acquire::http::Timeout", "1"}}}

func (s *shelf) open(t *testing.T, ctx context.Context, cache string, offline bool) (*Archive, error) {
	t.Helper()
	return quick.openArchive(ctx, distro.ArchiveOptions{Arch: "amd64", Sources: []distro.Source{s.source(t)}, Cache: cache, Client: impatient(), Offline: offline})
}

// hello is the version of the package that tells the two versions apart.
func hello(t *testing.T, a *Archive) string {
	t.Helper()
	index, err := a.Index(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(index.Versions("hello"), " ")
}

// TestIndicesAreReplacedWhole: an update that fails, at whatever file and in
// whatever way, leaves the indices before as they are, offline as well, and the
// next one that works brings the new ones.
func TestIndicesAreReplacedWhole(t *testing.T) {
	answers := func(name string, code int) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if strings.HasSuffix(r.URL.Path, name) {
				http.Error(w, "no", code)
				return true
			}
			return false
		}
	}
	garbage := func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/Packages") {
			fmt.Fprint(w, strings.Repeat("x", 421))
			return true
		}
		return false
	}
	for name, tc := range map[string]struct {
		fault func(http.ResponseWriter, *http.Request) bool
		want  string
	}{
		"InRelease stalls":     {stalls("/InRelease"), "the server stopped in the middle: almost no data came for 500ms (tried 4 times)"},
		"InRelease is busy":    {answers("/InRelease", 503), "the server answers 503 Service Unavailable (tried 4 times)"},
		"InRelease is refused": {answers("/InRelease", 403), "403 Forbidden"},
		"no InRelease":         {answers("/InRelease", 404), "has no directory dists/stable with a release file"},
		"Packages stall":       {stalls("/Packages"), "Connection timed out"},
		"Packages are busy":    {answers("/Packages", 503), "503  Service Unavailable"},
		"no Packages":          {answers("/Packages", 404), "404  Not Found"},
		"other Packages":       {garbage, "Hash Sum mismatch"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, cache := newShelf(t), t.TempDir()
			before, err := s.open(t, t.Context(), cache, false)
			if err != nil {
				t.Fatal(err)
			}
			s.version.Store(2)
			s.is(tc.fault)
			_, err = s.open(t, t.Context(), cache, false)
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), s.URL) || !strings.Contains(err.Error(), "stable") {
				t.Errorf("error %v, want one with %q and the archive", err, tc.want)
			}
			off, err := s.open(t, t.Context(), cache, true)
			if err != nil {
				t.Fatalf("offline after an update that failed: %v", err)
			}
			if off.release != before.release || hello(t, off) != "1" {
				t.Errorf("offline, hello has version %s of release %s", hello(t, off), off.release)
			}
			s.is(nil)
			after, err := s.open(t, t.Context(), cache, false)
			if err != nil {
				t.Fatal(err)
			}
			// A process that opened the indices before continues with those.
			if hello(t, after) != "2" || hello(t, before) != "1" {
				t.Errorf("hello has version %s, and for whom opened it before %s", hello(t, after), hello(t, before))
			}
			if left, _ := layer.Glob(cache, "apt/*/"+newPrefix+"*"); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
		})
	}
}

// TestAptIsWatched: a server that sends a byte now and then keeps apt going, and
// apt alone would never end.
func TestAptIsWatched(t *testing.T) {
	s := newShelf(t)
	s.is(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/Packages") {
			return false
		}
		w.Header().Set("Content-Length", "421")
		for r.Context().Err() == nil {
			fmt.Fprint(w, "x")
			w.(http.Flusher).Flush()
			time.Sleep(50 * time.Millisecond)
		}
		return true
	})
	a := &Archive{Source: s.source(t), Arch: "amd64", Policy: quick, root: t.TempDir(), results: t.TempDir(), client: Policy{}.Client(download.Once, func(string) {}), stall: time.Second}
	start := time.Now()
	err := a.open(t.Context(), false)
	if err == nil || !strings.Contains(err.Error(), "apt was ended, because almost no data came for 1s") {
		t.Errorf("error %v after %s", err, time.Since(start))
	}
}

// helperCache names, to a copy of this test, the cache that it is to update until
// it is killed; helperMirror where from.
const helperCache, helperMirror = "TREEWRIGHT_TEST_CACHE", "TREEWRIGHT_TEST_MIRROR"

func TestUpdateHelper(t *testing.T) {
	cache := os.Getenv(helperCache)
	if cache == "" {
		return // it is a process of another test
	}
	s := shelf{Server: &httptest.Server{URL: os.Getenv(helperMirror)}}
	patient := Policy{Options: [][2]string{{"Acquire::http::Proxy", "DIRECT"}, {"Acquire::http::Timeout", "600"}}}
	_, err := patient.openArchive(context.Background(), distro.ArchiveOptions{Arch: "amd64", Sources: []distro.Source{s.source(t)}, Cache: cache, Client: impatient(), Offline: false})
	t.Fatalf("was not killed: %v", err)
}

// TestRootKilledUpdate: kill -9 in the middle of apt-get update leaves no process of apt and
// no lock; offline, the indices of before are used.
func TestRootKilledUpdate(t *testing.T) {
	if os.Geteuid() != 0 {
		treetest.Skip(t, "needs root: it makes a PID namespace; run it as CI does, sudo make test")
	}
	s, cache := newShelf(t), t.TempDir()
	if _, err := s.open(t, t.Context(), cache, false); err != nil {
		t.Fatal(err)
	}
	s.version.Store(2)
	reached, fault := make(chan bool, 10), stalls("/Packages")
	s.is(func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/Packages") {
			reached <- true
		}
		return fault(w, r)
	})
	us := exec.Command("/proc/self/exe", "-test.run=^TestUpdateHelper$")
	us.Env = append(os.Environ(), helperCache+"="+cache, helperMirror+"="+s.URL)
	if err := us.Start(); err != nil {
		t.Fatal(err)
	}
	<-reached
	if n := len(mentioning(t, cache)); n < 3 {
		t.Errorf("%d processes run, want this test's copy, apt-get and a method at least", n)
	}
	if err := us.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = us.Wait()
	for end := time.Now().Add(20 * time.Second); len(mentioning(t, cache)) > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("still running: %v", mentioning(t, cache))
		}
	}
	if off, err := s.open(t, t.Context(), cache, true); err != nil || hello(t, off) != "1" {
		t.Errorf("offline: %v", err)
	}
	s.is(nil)
	if after, err := s.open(t, t.Context(), cache, false); err != nil || hello(t, after) != "2" {
		t.Errorf("the next update: %v", err)
	}
	if left, _ := layer.Glob(cache, "apt/*/"+newPrefix+"*"); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// mentioning are the processes that have a word in their environment.
func mentioning(t *testing.T, word string) (found []string) {
	t.Helper()
	envs, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range envs {
		if text, err := os.ReadFile(e); err == nil && strings.Contains(string(text), word) {
			found = append(found, e)
		}
	}
	return found
}

func TestUpdateIsCancelled(t *testing.T) {
	for _, name := range []string{"/InRelease", "/Packages"} {
		s, ctx := newShelf(t), t.Context()
		ctx, cancel := context.WithCancel(ctx)
		fault := stalls(name)
		s.is(func(w http.ResponseWriter, r *http.Request) bool {
			if strings.HasSuffix(r.URL.Path, name) {
				cancel()
			}
			return fault(w, r)
		})
		client := Policy{}.Client(download.Patient, func(line string) { t.Error(line) })
		_, err := quick.openArchive(ctx, distro.ArchiveOptions{Arch: "amd64", Sources: []distro.Source{s.source(t)}, Cache: t.TempDir(), Client: client, Offline: false})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v, want context.Canceled", name, err)
		}
	}
}
