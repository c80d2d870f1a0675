package publish

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/extend"
	"github.com/treewright/treewright/builder/treetest"
)

// TestExtension: the files of an image of packages are where machines look for them, and web servers can read them.
func TestExtension(t *testing.T) {
	dir := t.TempDir()
	image := filepath.Join(dir, "added.raw")
	treetest.Write(t, image, "image")
	d := &extend.Document{Request: extend.Request{Commit: strings.Repeat("1", 64), Packages: []string{"jq"}}, Size: 5, SHA256: strings.Repeat("a", 64)}
	out := filepath.Join(dir, "f", extend.Dir)
	for range 2 {
		if err := Extension(out, image, d, []byte("document"), []byte("signature")); err != nil {
			t.Fatal(err)
		}
	}
	found := map[string]string{}
	err := filepath.WalkDir(out, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if info.Mode() != 0o644 {
			t.Errorf("%s has the mode %v", path, info.Mode())
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(out, path)
		found[filepath.ToSlash(name)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != 3 || found[d.ImageFile()] != "image" || found[d.DocumentFile()] != "document" || found[d.SignatureFile()] != "signature" {
		t.Errorf("found %v", found)
	}
}
