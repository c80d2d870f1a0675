package objects

import (
	"strings"
	"testing"
)

// TestObjects: checksums that libostree 2026.4 gave. Trees of all kinds are compared in
// package ostree.
func TestObjects(t *testing.T) {
	root := Meta{Mode: 0o40755}
	empty, err := DirTree(Dir{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ what, got, want string }{
		{"metadata of a directory", Sum(DirMeta(root)), "446a0ef11b7cc167f3b603e585c7eeeeb675faa412d5ec73f62988eb0b6c5488"},
		{"an empty directory", Sum(empty), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
	} {
		if c.got != c.want {
			t.Errorf("%s is %s, not %s", c.what, c.got, c.want)
		}
	}
	if _, err := DirTree(Dir{Files: map[string]string{"file": "0"}}); err == nil || !strings.Contains(err.Error(), `"file"`) {
		t.Errorf("a file without a checksum: %v", err)
	}
}
