package treefs

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// odd makes a directory with one of each kind of what is not a file, and returns
// their names.
func odd(t *testing.T) (string, []string) {
	dir := t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	must(unix.Mkfifo(in("fifo"), 0o666))
	must(os.Symlink("fifo", in("link")))
	must(os.Symlink("/dev/zero", in("zero")))
	must(os.Symlink("/proc/self/mem", in("mem")))
	must(os.Symlink("/proc/self/environ", in("environ")))
	must(os.Symlink("/proc/self", in("proc")))
	must(os.Symlink("/sys/kernel", in("sys")))
	l, err := net.Listen("unix", in("socket"))
	must(err)
	t.Cleanup(func() { l.Close() })
	return dir, []string{"fifo", "link", "zero", "mem", "environ", "proc", "sys", "socket"}
}

// TestOddKinds wants nothing to be opened that is neither a regular file nor a
// directory. One that is waits for ever, or never ends.
func TestOddKinds(t *testing.T) {
	dir, names := odd(t)
	tree := New(dir)
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for _, name := range names {
		var kind *KindError
		if _, err := tree.Open(name); !errors.As(err, &kind) {
			t.Errorf("%s is opened: %v", name, err)
		}
		if _, err := fs.ReadFile(tree, name); !errors.As(err, &kind) {
			t.Errorf("%s is read: %v", name, err)
		}
		if _, err := fs.ReadDir(tree, name); !errors.As(err, &kind) {
			t.Errorf("%s is listed: %v", name, err)
		}
		if err := Check(filepath.Join(dir, name), 10); !errors.As(err, &kind) {
			t.Errorf("%s passes: %v", name, err)
		}
		if _, err := Within(root).Open(name); err == nil {
			t.Errorf("%s is opened in its root", name)
		}
	}
	if tree.Last() != names[len(names)-1] {
		t.Errorf("the last one was %q", tree.Last())
	}
}

// TestReads reads what there may be, to its end and no further.
func TestReads(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"empty": "", "text": "some text", "most": strings.Repeat("x", MostFile), "more": strings.Repeat("x", MostFile+1), "d/inner": "inner"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		got, err := fs.ReadFile(New(dir), name)
		if large := (*SizeError)(nil); errors.As(err, &large) != (name == "more") || name != "more" && string(got) != text {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
		if err := Check(path, MostFile); (err == nil) != (name != "more") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := os.Symlink("d/inner", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	tree := New(dir)
	sub, err := fs.Sub(tree, "d")
	if err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string]fs.FS{"link": tree, "inner": sub} {
		if got, err := fs.ReadFile(in, name); err != nil || string(got) != "inner" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if tree.Last() != "d/inner" && tree.Last() != "link" {
		t.Errorf("the last one was %q", tree.Last())
	}
	if _, err := fs.ReadFile(tree, "none"); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "open none:") {
		t.Errorf("what is not there: %v", err)
	}
	if _, err := fs.ReadFile(tree, "d"); err == nil || !strings.Contains(err.Error(), "a directory") {
		t.Errorf("a directory: %v", err)
	}
	entries, err := fs.ReadDir(tree, ".")
	if err != nil || len(entries) != 6 || entries[0].Name() != "d" {
		t.Errorf("the directory lists %v, %v", entries, err)
	}
}

// TestTooManyNames lists a directory until it is too much, in whatever pieces.
func TestTooManyNames(t *testing.T) {
	dir := t.TempDir()
	for i := range 50 {
		if err := os.WriteFile(filepath.Join(dir, strings.Repeat("x", i+1)), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tree := New(dir)
	tree.names.Store(MostNames - 70)
	if all, err := fs.ReadDir(tree, "."); err != nil || len(all) != 50 {
		t.Errorf("%d names, %v", len(all), err)
	}
	if _, err := fs.ReadDir(tree, "."); err == nil || !strings.Contains(err.Error(), "too many files") {
		t.Errorf("what is too much is listed: %v", err)
	}
}
