package image

import (
	"path/filepath"
	"testing"

	"github.com/treewright/treewright/builder/format"
	"github.com/treewright/treewright/builder/treetest"
)

// The free space of an image is there after the first boot too.
func TestAddFirstBoot(t *testing.T) {
	const usr = "ostree/deploy/debian/deploy/abc.0/usr/"
	sysroot := treetest.Lay(t, t.TempDir(), usr+"share/factory/var/lib/a/", usr+"share/factory/etc/x", usr+"lib/tmpfiles.d/00-treewright-first-1.conf", usr+"lib/tmpfiles.d/other.conf", "ostree/deploy/debian/deploy/def.0/usr/")
	treetest.Write(t, filepath.Join(sysroot, usr, "share/factory/var/lib/big"), string(make([]byte, 300<<10)))
	treetest.Write(t, filepath.Join(sysroot, usr, "share/factory/var/lib/a/small"), "x")
	var usage format.Ext4Usage
	if err := addFirstBoot(&usage, sysroot); err != nil {
		t.Fatal(err)
	}
	// Two files, what a rule makes and hides, and the directories of hidden rules.
	if want := (format.Ext4Usage{Bytes: 300<<10 + 4096 + 4096 + 2*4096, Inodes: 2 + 2 + 2}); usage != want {
		t.Errorf("%+v, want %+v", usage, want)
	}
}
