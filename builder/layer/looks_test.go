package layer

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// storeLooks stores a record of a step that looked at paths of a tree, in a result with an empty layer.
func storeLooks(t *testing.T, s *Store, kind, key string, tree *Node, paths map[string]bool) {
	t.Helper()
	d, err := s.Begin(key)
	if err != nil {
		t.Fatal(err)
	}
	if d.Looks, err = NewLooks(kind, 1, tree, paths, d.Data); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(d, Result{Step: "commit/initramfs"}); err != nil {
		t.Fatal(err)
	}
}

// layerOf stores a layer and returns the tree of it.
func layerOf(t *testing.T, s *Store, key string, fill func(dir string) error) *Node {
	t.Helper()
	d, err := s.Begin(key)
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(os.MkdirAll(d.Data+"/etc", 0o755), os.WriteFile(d.Data+"/etc/file", []byte("content"), 0o644), os.Symlink("etc", d.Data+"/link"), fill(d.Data))
	at := time.Unix(1700000000, 0)
	for _, name := range []string{"", "etc", "etc/file"} {
		err = errors.Join(err, os.Chtimes(filepath.Join(d.Data, name), at, at))
	}
	if err := errors.Join(err, d.Commit(Result{Step: "base"})); err != nil {
		t.Fatal(err)
	}
	tree, err := Merged([]string{s.Data(key)})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestLooks(t *testing.T) {
	s := openTest(t)
	keyOf := func(n int) string { return fmt.Sprintf("%064d", n) }
	tree := layerOf(t, s, keyOf(1), func(string) error { return nil })
	storeLooks(t, s, "kind", keyOf(2), tree, map[string]bool{"etc/file": true, "etc/none": false})
	all, err := s.Looks("kind")
	if err != nil || len(all) != 1 || all[0].Key != keyOf(2) || all[0].Epoch != 1 {
		t.Fatalf("looks %+v, error %v", all, err)
	}
	var paths []string
	for _, l := range all[0].Looks {
		paths = append(paths, l.Path)
	}
	if want := []string{".", "etc", "etc/file", "etc/none"}; !slices.Equal(paths, want) {
		t.Errorf("paths %v, want %v", paths, want)
	}
	for n, c := range []struct {
		change  func(dir string) error
		changed string
	}{
		{func(string) error { return nil }, ""},
		{func(dir string) error { return os.WriteFile(dir+"/etc/other", nil, 0o644) }, ""},
		{func(dir string) error { return os.WriteFile(dir+"/etc/file", []byte("CONTENT"), 0o644) }, "etc/file"},
		{func(dir string) error { return os.WriteFile(dir+"/etc/none", nil, 0o644) }, "etc/none"},
		{func(dir string) error { return os.Chmod(dir+"/etc", 0o700) }, "etc"},
		{func(dir string) error { return os.WriteFile(dir+"/more", nil, 0o644) }, "."}, // the result's layer has it
		{func(dir string) error {
			return errors.Join(os.Rename(dir+"/etc", dir+"/other"), os.Symlink("other", dir+"/etc"))
		}, "."},
	} {
		if got := all[0].Changed(layerOf(t, s, keyOf(10+n), c.change)); got != c.changed {
			t.Errorf("%d: changed %q, want %q", n, got, c.changed)
		}
	}
	if other, err := s.Looks("other"); err != nil || len(other) > 0 {
		t.Errorf("of another kind: %v, error %v", other, err)
	}
}

// TestLooksAreFewAndGoWithResults: only the newest are kept, one takes the place of another that
// has the same, and none is left of a result that is gone.
func TestLooksAreFewAndGoWithResults(t *testing.T) {
	s := openTest(t)
	tree := layerOf(t, s, strings.Repeat("f", 64), func(string) error { return nil })
	keyOf := func(n int) string { return fmt.Sprintf("%064d", n) }
	for n := range mostLooks + 3 {
		storeLooks(t, s, "kind", keyOf(n), tree, map[string]bool{"etc/file": true})
		old := time.Now().Add(time.Duration(n-100) * time.Minute)
		if err := os.Chtimes(filepath.Join(s.root, "looks/kind", keyOf(n)), old, old); err != nil {
			t.Fatal(err)
		}
	}
	all, err := s.Looks("kind")
	if err != nil || len(all) != mostLooks || all[0].Key != keyOf(mostLooks+2) {
		t.Fatalf("%d looks, error %v", len(all), err)
	}
	d, err := s.Begin(strings.Repeat("a", 64))
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.CopyInto(d, all[0].Key)
	d.Looks = all[0]
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(d, r); err != nil {
		t.Fatal(err)
	}
	now, err := s.Looks("kind")
	if err != nil || len(now) != mostLooks || now[0].Key != strings.Repeat("a", 64) || slices.ContainsFunc(now, func(l *Looks) bool { return l.Key == keyOf(mostLooks+2) }) {
		t.Errorf("the copy did not take its place: %d, error %v", len(now), err)
	}
	for _, l := range now {
		s.LetGo(l.Key)
		if gone, err := s.Remove(l.Key, time.Now().Add(time.Hour)); !gone || err != nil {
			t.Fatalf("removed %v, error %v", gone, err)
		}
	}
	if _, err := s.Sweep(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(filepath.Join(s.root, "looks/kind")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("marks are left: %v", err)
	}
}
