package extension

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/treefs"
)

// A directory in /etc that packages open for a service is opened on the machine.
func TestDirectoryOfEtcIsOpened(t *testing.T) {
	sample := map[string]string{"etc/ssl/private/": ""}
	trees := extensionTrees{system: sampleTree(t, sample), extended: sampleTree(t, sample)}
	dir := filepath.Join(trees.extended, "etc/ssl/private")
	if err := os.Chmod(dir, 0o710); err != nil {
		t.Fatal(err)
	}
	what, err := compareFiles(filepath.Join(trees.system, "etc/ssl/private"), dir)
	if err != nil || what == "" {
		t.Fatalf("%q, %v", what, err)
	}
	var st unix.Stat_t
	if err := unix.Lstat(dir, &st); err != nil {
		t.Fatal(err)
	}
	o := outside{trees: trees, name: "x", carried: map[string]bool{}, names: treefs.Owners{Users: map[uint32]string{st.Uid: "root"}, Groups: map[uint32]string{st.Gid: "ssl-cert"}}}
	if err := o.one(change{"etc/ssl/private", what, os.ModeDir}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"z /etc/ssl/private 0710 root ssl-cert -"}; !slices.Equal(o.first, want) || len(o.notes) > 0 {
		t.Errorf("rules %q, notes %q; want the rules %q", o.first, o.notes, want)
	}
}
