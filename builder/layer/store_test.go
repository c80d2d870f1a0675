package layer

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const testKey = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func openTest(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func begin(t *testing.T, s *Store, key string) *Draft {
	t.Helper()
	d, err := s.Begin(key)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func TestCommitAppearsAtOnce(t *testing.T) {
	s := openTest(t)
	d := begin(t, s, testKey)
	put(t, filepath.Join(d.Data, "file"), "content")
	put(t, filepath.Join(d.Scratch, "temporary"), "x")
	put(t, filepath.Join(d.Dir, "mounts/left"), "x")
	put(t, d.Log, "log")
	if _, ok, err := s.Get(testKey); ok || err != nil {
		t.Fatalf("there is a result before the commit (%v), error %v", ok, err)
	}
	want := Result{Step: "a/b", Duration: time.Second, Epoch: 7, Facts: map[string]string{"k": "v"}, Files: []File{{Name: "f", Path: "file", Size: 7, SHA256: "ab"}}}
	if err := d.Commit(want); err != nil {
		t.Fatal(err)
	}
	r, ok, err := s.Get(testKey)
	if !ok || err != nil || r.Key != testKey || r.Step != "a/b" || r.Duration != time.Second || r.Epoch != 7 || r.Facts["k"] != "v" || len(r.Files) != 1 || r.Files[0] != want.Files[0] {
		t.Errorf("result %+v, %v, error %v", r, ok, err)
	}
	if got := names(t, filepath.Dir(s.Data(testKey))); fmt.Sprint(got) != "[data index log result.json seen]" {
		t.Errorf("the result holds %v", got)
	}
	log, err := s.Log(testKey)
	if get(t, filepath.Join(s.Data(testKey), "file")) != "content" || string(log) != "log" || err != nil {
		t.Error("the data or the log is lost")
	}
	if got := names(t, filepath.Join(s.root, "drafts")); len(got) != 0 {
		t.Errorf("drafts left: %v", got)
	}
}

// TestCommitOfTheSameKey: the first one stays, and everybody succeeds.
func TestCommitOfTheSameKey(t *testing.T) {
	s := openTest(t)
	const n = 8
	var wg sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		d := begin(t, s, testKey)
		put(t, filepath.Join(d.Data, "file"), "content")
		wg.Add(1)
		go func() {
			defer wg.Done()
			errs[i] = d.Commit(Result{Step: fmt.Sprint(i)})
		}()
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if r, ok, err := s.Get(testKey); !ok || err != nil || r.Key != testKey {
		t.Errorf("result %+v, %v, error %v", r, ok, err)
	}
	if got := names(t, filepath.Join(s.root, "drafts")); len(got) != 0 {
		t.Errorf("drafts left: %v", got)
	}
}

func TestAbort(t *testing.T) {
	s := openTest(t)
	d := begin(t, s, testKey)
	put(t, filepath.Join(d.Data, "sub/file"), "x")
	d.Abort()
	if _, ok, _ := s.Get(testKey); ok || len(names(t, filepath.Join(s.root, "drafts"))) != 0 {
		t.Error("an aborted draft left something")
	}
}

func TestSweepLeavesLiveDrafts(t *testing.T) {
	s := openTest(t)
	live, young := begin(t, s, testKey), filepath.Join(s.root, "drafts", newDraft+"young")
	put(t, filepath.Join(live.Data, "file"), "x")
	if err := os.Mkdir(young, 0o755); err != nil {
		t.Fatal(err)
	}
	dead := begin(t, s, strings.Repeat("d", 64))
	put(t, filepath.Join(dead.Data, "sub/file"), "x")
	unix.Close(dead.lock) // as the kernel does when a process dies
	old := filepath.Join(s.root, "drafts", newDraft+"old")
	if err := os.Mkdir(old, 0o755); err != nil {
		t.Fatal(err)
	}
	past := time.Now().Add(-time.Hour)
	if err := os.Chtimes(old, past, past); err != nil {
		t.Fatal(err)
	}
	n, err := s.Sweep()
	if err != nil || n != 2 {
		t.Errorf("swept %d, error %v; want the dead and the old one", n, err)
	}
	if got := names(t, filepath.Join(s.root, "drafts")); fmt.Sprint(got) != fmt.Sprint([]string{filepath.Base(young), filepath.Base(live.Dir)}) {
		t.Errorf("left are %v", got)
	}
	if err := live.Commit(Result{}); err != nil {
		t.Errorf("the live one cannot be stored: %v", err)
	}
}

// TestSweepDuringBegin: a draft is never without an owner, however short.
func TestSweepDuringBegin(t *testing.T) {
	s := openTest(t)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		defer wg.Done()
		for {
			select {
			case <-stop:
				return
			default:
			}
			if n, err := s.Sweep(); n != 0 || err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Errorf("swept %d, error %v", n, err)
				return
			}
		}
	}()
	for i := range 100 {
		d := begin(t, s, fmt.Sprintf("%064d", i))
		if err := d.Commit(Result{}); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	wg.Wait()
}

func TestLock(t *testing.T) {
	s := openTest(t)
	unlock, err := s.Lock(t.Context(), testKey, func() { t.Error("waited for nothing") })
	if err != nil {
		t.Fatal(err)
	}
	waits := make(chan struct{})
	got := make(chan error)
	go func() {
		second, err := s.Lock(t.Context(), testKey, func() { close(waits) })
		if err == nil {
			second()
		}
		got <- err
	}()
	<-waits
	select {
	case <-got:
		t.Error("two have the lock")
	case <-time.After(20 * time.Millisecond):
	}
	// Another key is not held up.
	other, err := s.Lock(t.Context(), strings.Repeat("e", 64), func() { t.Error("waited for another key") })
	if err != nil {
		t.Fatal(err)
	}
	other()
	unlock()
	if err := <-got; err != nil {
		t.Error(err)
	}
}

// TestLockOfARemovedFile: a process that waited on a lock file that was removed
// meanwhile has to take the new one.
func TestLockOfARemovedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, err := LockFile(t.Context(), path, func() {})
	if err != nil {
		t.Fatal(err)
	}
	var second func()
	waits, got := make(chan struct{}, 2), make(chan struct{})
	go func() {
		defer close(got)
		second, _ = LockFile(t.Context(), path, func() { waits <- struct{}{} })
	}()
	<-waits
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	first()
	<-got
	defer second()
	waited := false
	done := make(chan struct{})
	go func() {
		defer close(done)
		third, err := LockFile(t.Context(), path, func() { waited = true; second() })
		if err == nil {
			third()
		}
	}()
	<-done
	if !waited {
		t.Error("two have the lock, each on a file of its own")
	}
}

func TestListAndSizes(t *testing.T) {
	s := openTest(t)
	if entries, err := s.List(true); err != nil || len(entries) != 0 {
		t.Errorf("an empty store has %v, error %v", entries, err)
	}
	d := begin(t, s, testKey)
	put(t, filepath.Join(d.Data, "a"), strings.Repeat("x", 100000))
	if err := os.Link(filepath.Join(d.Data, "a"), filepath.Join(d.Data, "b")); err != nil {
		t.Fatal(err)
	}
	if err := d.Commit(Result{Step: "s"}); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(s.root, "results/broken/result.json"), "{")
	past := time.Now().Add(-time.Hour)
	if err := os.Chtimes(filepath.Join(filepath.Dir(s.Data(testKey)), "result.json"), past, past); err != nil {
		t.Fatal(err)
	}
	entries, err := s.List(true)
	if err != nil || len(entries) != 1 || entries[0].Step != "s" {
		t.Fatalf("entries %+v, error %v", entries, err)
	}
	if e := entries[0]; e.Size < 100000 || e.Size > 150000 || time.Since(e.Used) < 50*time.Minute {
		t.Errorf("size %d, used %v", e.Size, e.Used)
	}
	s.Touch(testKey)
	entries, err = s.List(false)
	if err != nil || time.Since(entries[0].Used) > time.Minute || entries[0].Size != 0 {
		t.Errorf("after Touch: %+v, error %v", entries, err)
	}
}

func TestOpenFaults(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	put(t, file, "")
	if _, err := Open(filepath.Join(file, "store")); err == nil || !strings.Contains(err.Error(), "open cache") {
		t.Errorf("error %v", err)
	}
}

func TestChangeOf(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "file"), "")
	if err := os.Symlink("x", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"file": "file", "link": "link", ".": "directory", "none": "", "file/below": ""} {
		if got := ChangeOf(filepath.Join(dir, name)); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if os.Geteuid() != 0 {
		return // making devices needs root; TestRootMount looks at whiteouts
	}
	for name, dev := range map[string]uint64{"whiteout": 0, "null": unix.Mkdev(1, 3)} {
		if err := unix.Mknod(filepath.Join(dir, name), unix.S_IFCHR|0o600, int(dev)); err != nil {
			t.Fatal(err)
		}
	}
	if got := ChangeOf(filepath.Join(dir, "whiteout")); got != "removes" {
		t.Errorf("a whiteout is %q", got)
	}
	if got := ChangeOf(filepath.Join(dir, "null")); got != "device" {
		t.Errorf("a device is %q", got)
	}
}

// TestOthersStayOut: a layer may hold a program that runs as root for anyone who
// starts it.
func TestOthersStayOut(t *testing.T) {
	root := filepath.Join(t.TempDir(), "store")
	// As an earlier version left it.
	if err := os.MkdirAll(root, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(root); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(root)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o700 {
		t.Errorf("the store has mode %v, want 0700", info.Mode())
	}
}

// TestPackIsTheSameEachTime: what happens to a result on this disk (it is used, looked at, on another machine) does not
// change how it is packed.
func TestPackIsTheSameEachTime(t *testing.T) {
	s := openTest(t)
	d := begin(t, s, testKey)
	put(t, filepath.Join(d.Data, "dir/file"), "content")
	put(t, d.Log, "log")
	if err := d.Commit(Result{Step: "a/b", Earlier: map[string][]string{"b": {"one"}, "a": {"two"}}}); err != nil {
		t.Fatal(err)
	}
	packed := func(s *Store) string {
		t.Helper()
		var b bytes.Buffer
		if err := s.Pack(&b, testKey); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	first := packed(s)
	dir := filepath.Dir(s.Data(testKey))
	for what, change := range map[string]func() error{
		"used":                    func() error { s.Touch(testKey); return nil },
		"looked at":               func() error { s.renew(testKey, seenFile, []byte("other")); return nil },
		"being looked at":         func() error { return os.WriteFile(filepath.Join(dir, "."+seenFile+"-1"), []byte("half"), 0o600) },
		"known what it looked at": func() error { return os.WriteFile(filepath.Join(dir, looksFile), []byte("looks"), 0o600) },
		"under another umask":     func() error { return os.Chmod(filepath.Join(dir, "log"), 0o600) },
	} {
		if err := change(); err != nil {
			t.Fatal(err)
		}
		if packed(s) != first {
			t.Errorf("it is packed otherwise when it is %s", what)
		}
	}
	there := openTest(t)
	if _, err := there.Unpack(strings.NewReader(first), testKey); err != nil {
		t.Fatal(err)
	}
	if packed(there) != first {
		t.Error("it is packed otherwise on another machine")
	}
}
