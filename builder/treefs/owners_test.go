package treefs

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/treetest"
)

func TestAccountNames(t *testing.T) {
	tree := treetest.Lay(t, t.TempDir(), "etc/")
	treetest.Write(t, filepath.Join(tree, "etc/passwd"), "root:x:0:0:root:/root:/bin/bash\ntoor:x:0:0::/:/bin/sh\nman:x:6:12::/:/x\nbroken\nodd:x:nine:1:\n")
	treetest.Write(t, filepath.Join(tree, "etc/group"), "root:x:0:\nman:x:12:\nmail:x:8:\n")
	names, err := ReadOwners(tree)
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[uint32]string{0: "root", 6: "man", 1234: "1234", 9: "9"} {
		if got := OwnerName(names.Users, id); got != want {
			t.Errorf("user %d is %q, want %q", id, got, want)
		}
	}
	if got := OwnerName(names.Groups, 8); got != "mail" {
		t.Errorf("group 8 is %q", got)
	}
	if _, err := ReadOwners(t.TempDir()); err == nil || !strings.Contains(err.Error(), "read accounts") {
		t.Errorf("without accounts: error %v", err)
	}
}
