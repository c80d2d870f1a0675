package treefs

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// FuzzGlob: a pattern matches only what is in the tree, each path once, and a
// pattern with a slash at its end only directories.
func FuzzGlob(f *testing.F) {
	tree := f.TempDir()
	for _, dir := range []string{"etc/ssl/.hidden", "usr/share/doc/a[b]"} {
		if err := os.MkdirAll(filepath.Join(tree, dir), 0o755); err != nil {
			f.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(tree, "usr/share/doc/README"), nil, 0o644); err != nil {
		f.Fatal(err)
	}
	for link, to := range map[string]string{"out": "/../../etc", "loop": "loop", "share": "usr/share"} {
		if err := os.Symlink(to, filepath.Join(tree, link)); err != nil {
			f.Fatal(err)
		}
	}
	for _, p := range []string{"/usr/share/doc/**", "/**/README", "/share/*/[[:upper:]]*", "/etc/ssl/.*/", "/[!a-", "loop/x", "/out/*", "**/**/", "/usr/share/doc/a\\[b]"} {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, pattern string) {
		if strings.Count(pattern, "/") > 20 || len(pattern) > 200 {
			return
		}
		found, err := Glob(tree, pattern)
		if err != nil {
			return
		}
		if sorted := slices.Sorted(slices.Values(found)); len(slices.Compact(sorted)) != len(found) {
			t.Errorf("%q matches %q: a path twice", pattern, found)
		}
		root, err := OpenRoot(tree)
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		for _, p := range found {
			info, err := root.Lstat(strings.TrimPrefix(p, "/"))
			if err != nil && p != "/" || !strings.HasPrefix(p, "/") {
				t.Errorf("%q matches %q: %v", pattern, p, err)
			} else if strings.HasSuffix(pattern, "/") && err == nil && info.Mode().IsRegular() {
				t.Errorf("%q matches the file %q", pattern, p)
			}
		}
	})
}
