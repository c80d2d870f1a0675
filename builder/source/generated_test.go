package source

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/treetest"
)

func TestImportGenerated(t *testing.T) {
	project := treetest.Lay(t, t.TempDir(), "site/index.html", "site/run@0755", "site/link -> /etc/passwd", "site/empty/", "one.conf", "a-b", "a/c")
	sources := Snapshots{Root: t.TempDir()}
	files := []config.Generated{
		{Path: "/srv/site/index.html", Content: []byte("other")}, // counts, although the directory has one
		{Path: "/srv/site", Source: "site"},
		{Path: "/etc/one.conf", Source: "one.conf"},
		{Path: "/etc/motd", Content: []byte("Welcome\n")},
		{Path: "/usr/bin/say", Content: []byte("#!/bin/sh\n"), Executable: true}, {Path: "/etc/say", Target: "../usr/bin/say"},
		{Path: "/etc-x/y"}, {Path: "/etc/a/b"}, {Path: "/etc/a.b"},
	}
	take := func(files []config.Generated) string {
		t.Helper()
		src, err := sources.ImportGenerated("generated/x", project, files)
		if err != nil {
			t.Fatal(err)
		}
		// The order of a walk is part of the digest.
		if got, err := DigestDir(src.Path); err != nil || "sha256:"+got != src.Digest {
			t.Errorf("the snapshot has the digest %s, error %v, want %s", got, err, src.Digest)
		}
		return src.Path
	}
	path := take(files)
	for name, want := range map[string]string{"etc/motd": "Welcome\n", "srv/site/index.html": "other", "srv/site/run": "site/run", "etc/one.conf": "one.conf", "etc/a/b": ""} {
		if got := treetest.Content(t, filepath.Join(path, name)); got != want {
			t.Errorf("%s holds %q, want %q", name, got, want)
		}
	}
	for name, want := range map[string]string{"etc/motd": "-rw-r--r--", "usr/bin/say": "-rwxr-xr-x", "etc/say": "Lrwxrwxrwx", "etc": "drwxr-xr-x", "srv/site/run": "-rwxr-xr-x", "srv/site/link": "Lrwxrwxrwx", "srv/site/empty": "drwxr-xr-x"} {
		if got := treetest.Mode(t, filepath.Join(path, name)); got != want {
			t.Errorf("%s has mode %s, want %s", name, got, want)
		}
	}
	files[3].Content = []byte("Changed\n")
	if take(files) == path {
		t.Error("the content is not in the digest")
	}
	if got := treetest.Content(t, filepath.Join(take([]config.Generated{{Path: "/", Source: "site"}}), "index.html")); got != "site/index.html" {
		t.Errorf("a directory for the whole system has %q", got)
	}
	if _, err := sources.ImportGenerated("x", project, []config.Generated{{Path: "/etc/a"}, {Path: "/etc/a/b"}}); err == nil {
		t.Error("a file and a directory of one name are not a fault")
	}
	if err := os.WriteFile(filepath.Join(project, "one.conf"), []byte("edited"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := treetest.Content(t, filepath.Join(path, "etc/one.conf")); got != "one.conf" {
		t.Errorf("the snapshot says %q", got)
	}
}
