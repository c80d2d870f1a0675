package publish

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/extend"
	"github.com/treewright/treewright/builder/treefs"
	"github.com/treewright/treewright/builder/treetest"
)

// TestExtension: the files of an image of packages are at the paths that machines look for, and web servers can read them.
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

// A damaged image is replaced. The replaced image stays for a day, and the images of a removed commit are removed.
func TestExtensionAgain(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, extend.Dir)
	one, two := strings.Repeat("1", 64), strings.Repeat("2", 64)
	publish := func(commit, content, sum string) *extend.Document {
		t.Helper()
		image := filepath.Join(dir, "added.raw")
		treetest.Write(t, image, content)
		d := &extend.Document{Request: extend.Request{Commit: commit, Packages: []string{"jq"}}, Size: int64(len(content)), SHA256: strings.Repeat(sum, 64)}
		text, err := d.Encode()
		if err == nil {
			err = Extension(out, image, d, text, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	old := filepath.Join(out, publish(one, "image", "a").ImageFile())
	treetest.Write(t, old, "imagf")
	publish(one, "image", "a")
	if got := treetest.Content(t, old); got != "image" {
		t.Errorf("the damaged image is %q", got)
	}
	publish(one, "newer", "b")
	if !treefs.Exists(old) {
		t.Error("the image is gone as soon as it is replaced")
	}
	long := time.Now().Add(-2 * replacedStay)
	if err := os.Chtimes(old, long, long); err != nil {
		t.Fatal(err)
	}
	newer := filepath.Join(out, publish(one, "newer", "b").ImageFile())
	if err := os.Chtimes(newer, long, long); err != nil {
		t.Fatal(err)
	}
	publish(one, "newer", "b")
	if treefs.Exists(old) || !treefs.Exists(newer) {
		t.Error("the replaced image is there, or the current one is not")
	}
	publish(two, "image", "a")
	if err := KeepExtensions(out, func(commit string) bool { return commit == two }); err != nil {
		t.Fatal(err)
	}
	if treefs.Exists(filepath.Join(out, one)) || !treefs.Exists(filepath.Join(out, two)) {
		t.Error("images of a commit that is gone are there, or others are not")
	}
}
