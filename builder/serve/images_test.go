package serve

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/extend"
)

// TestImagesAreServed: existing images are served, also by a server that does not make images.
func TestImagesAreServed(t *testing.T) {
	root := extendable(t)
	h, _ := newHandler(t, root)
	asked := extend.Request{Commit: commitB, Packages: []string{"jq", "tcpdump"}}
	d := publishImage(t, root, "b", asked)
	write(t, filepath.Join(root, "b", extend.Dir, asked.SignatureFile()), "signature")
	for path, want := range map[string][3]string{
		d.ImageFile():         {image, "application/octet-stream", "public, max-age=31536000, immutable"},
		asked.SignatureFile(): {"signature", "application/pgp-signature", "no-cache"},
		asked.DocumentFile():  {"", "application/json", "no-cache"},
	} {
		for _, prefix := range []string{"/b/extend/", "/extend/", "//extend//"} {
			w := get(t, h, prefix+path)
			if w.Code != 200 || want[0] != "" && w.Body.String() != want[0] || w.Header().Get("Content-Type") != want[1] || w.Header().Get("Cache-Control") != want[2] {
				t.Errorf("%s%s: %d %q %v", prefix, path, w.Code, w.Body, w.Header())
			}
			if again := get(t, h, prefix+path, "If-None-Match", w.Header().Get("Etag")); again.Code != 304 {
				t.Errorf("%s%s with its tag %s: %d", prefix, path, w.Header().Get("Etag"), again.Code)
			}
			if head := ask(t, h, "HEAD", prefix+path); head.Code != 200 || head.Body.Len() != 0 || head.Header().Get("Content-Length") != w.Header().Get("Content-Length") {
				t.Errorf("HEAD %s%s: %d %v", prefix, path, head.Code, head.Header())
			}
			if post := ask(t, h, "POST", prefix+path); post.Code != 405 || post.Header().Get("Allow") != "GET, HEAD" {
				t.Errorf("POST %s%s: %d", prefix, path, post.Code)
			}
		}
	}
	if w := get(t, h, "/extend/"+d.ImageFile(), "Range", "bytes=4-8"); w.Code != 206 || w.Body.String() != image[4:9] {
		t.Errorf("range: %d %q", w.Code, w.Body)
	}
	if w := get(t, h, "/a/extend/"+d.ImageFile()); w.Code != 404 {
		t.Errorf("an image of b is at a: %d", w.Code)
	}
	if h, _ := newHandler(t, root, "a"); get(t, h, "/b/extend/"+d.ImageFile()).Code != 404 || get(t, h, "/extend/"+d.ImageFile()).Code != 404 {
		t.Error("an image of a flavour that is not served is served")
	}
	if w := get(t, h, "/index.json"); strings.Contains(w.Body.String(), "extend") {
		t.Errorf("images are listed: %s", w.Body)
	}
}

// TestImagesOnly: nothing else in the directory of images, and nothing outside, is served as one.
func TestImagesOnly(t *testing.T) {
	root := extendable(t)
	h, _ := newHandler(t, root)
	dir, id, hash := filepath.Join(root, "a", extend.Dir), strings.Repeat("0", 32), strings.Repeat("0", 64)
	for _, name := range []string{id + ".json.new", ".lock", id + ".raw", hash + ".json", "x.raw", "sub/" + hash + ".raw", hash + ".raw.zst"} {
		write(t, filepath.Join(dir, commitA, name), secret)
	}
	write(t, filepath.Join(dir, hash+".raw"), secret)
	write(t, filepath.Join(dir, "short", hash+".raw"), secret)
	outside := filepath.Join(root, "..", "outside")
	for link, target := range map[string]string{
		filepath.Join(dir, commitA, hash+".raw"): outside,
		filepath.Join(dir, commitA, id+".json"):  "../../../../outside",
		filepath.Join(dir, commitB):              "../../repo/objects",
		filepath.Join(root, "b", extend.Dir):     "../a/extend",
	} {
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(root, "a/repo/objects", hash+".raw"), secret)
	if err := os.Mkdir(filepath.Join(dir, commitA, strings.Repeat("1", 64)+".raw"), 0o755); err != nil {
		t.Fatal(err)
	}
	strays := []string{
		commitA + "/" + id + ".json.new", commitA + "/.lock", commitA + "/" + id + ".raw", commitA + "/" + hash + ".json", commitA + "/x.raw", commitA + "/sub/" + hash + ".raw",
		commitA + "/" + hash + ".raw.zst", hash + ".raw", "short/" + hash + ".raw", commitA + "/" + hash + ".raw", commitA + "/" + id + ".json", commitB + "/" + hash + ".raw",
		commitA + "/" + strings.Repeat("1", 64) + ".raw", commitA, commitA + "/", "", "../repo/config", commitA + "/../" + commitA + "/x.raw", commitA + "/%2e%2e/" + hash + ".raw",
		commitA + "%2f" + hash + ".raw", commitA + "/" + hash + ".raw%00", commitA + "/" + hash + ".raw/", commitA + "/" + hash + ".raw%0a", strings.ToUpper(commitA) + "/" + hash + ".raw",
		commitA + "/" + strings.Repeat("0", 100_000) + ".raw", "%2e%2e/%2e%2e/outside",
	}
	for _, stray := range strays {
		for _, prefix := range []string{"/a/extend/", "/b/extend/", "/extend/"} {
			if w := get(t, h, prefix+stray); w.Code != 404 || strings.Contains(w.Body.String(), secret) || w.Header().Get("Cache-Control") != "" {
				t.Errorf("%s%.100s: %d %q", prefix, stray, w.Code, w.Body)
			}
		}
	}
}

// TestImagesThatCount: only a complete image, for the commit and packages that its name is made of, answers a request.
func TestImagesThatCount(t *testing.T) {
	asked := extend.Request{Commit: commitA, Packages: []string{"jq"}}
	for name, c := range map[string]struct {
		want   bool
		signed string
		damage func(dir string, d *extend.Document)
	}{
		"complete":        {want: true},
		"signed":          {want: true, signed: "somebody", damage: func(dir string, _ *extend.Document) { write(t, filepath.Join(dir, asked.SignatureFile()), "x") }},
		"not signed":      {signed: "somebody"},
		"no image":        {damage: func(dir string, d *extend.Document) { remove(t, filepath.Join(dir, d.ImageFile())) }},
		"truncated image": {damage: func(dir string, d *extend.Document) { write(t, filepath.Join(dir, d.ImageFile()), "the") }},
		"no document":     {damage: func(dir string, _ *extend.Document) { remove(t, filepath.Join(dir, asked.DocumentFile())) }},
		"half a document": {damage: func(dir string, _ *extend.Document) {
			write(t, filepath.Join(dir, asked.DocumentFile()), `{"version":1`)
		}},
		"of another set": {damage: func(dir string, d *extend.Document) {
			d.Packages = []string{"vim"}
			text, err := d.Encode()
			if err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(dir, asked.DocumentFile()), string(text))
		}},
	} {
		root := extendable(t)
		d := publishImage(t, root, "a", asked)
		if c.damage != nil {
			c.damage(filepath.Join(root, "a", extend.Dir), d)
		}
		dir, err := os.OpenRoot(root)
		if err != nil {
			t.Fatal(err)
		}
		defer dir.Close()
		if _, got := hasImage(dir, &flavour{name: "a", summary: summary{SignedBy: c.signed}}, asked); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
