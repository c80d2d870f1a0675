package extension

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/distro/debian"
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

// A file of the machine stays as it is, and a message for its owner has the path of the packages' version.
func TestChangedFileOfEtc(t *testing.T) {
	before, after := map[string]string{"etc/nsswitch.conf": "hosts: files dns\n"}, map[string]string{"etc/nsswitch.conf": "hosts: files mdns dns\n"}
	o := outside{trees: extensionTrees{system: sampleTree(t, before), extended: sampleTree(t, after), distro: debian.Family{}}, name: "x", packages: true}
	if err := o.one(change{"etc/nsswitch.conf", contentChanged, 0}); err != nil {
		t.Fatal(err)
	}
	const shown = "usr/share/factory/extension-x/etc/nsswitch.conf"
	if want := []string{"/etc/nsswitch.conf is not changed, as it belongs to the machine; with the changes of the packages it is /" + shown}; !slices.Equal(o.notes, want) {
		t.Errorf("notes %q, want %q", o.notes, want)
	}
	if want := []leaving{{path: shown, from: "etc/nsswitch.conf"}}; !slices.Equal(o.leaving, want) || len(o.first) > 0 {
		t.Errorf("leaving %v, rules %q", o.leaving, o.first)
	}
}
