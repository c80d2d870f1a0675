package layer

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/treetest"
)

// someTree makes a tree with all that needs no root.
func someTree(t *testing.T, dir string) {
	t.Helper()
	put(t, filepath.Join(dir, "usr/bin/tool"), "program")
	put(t, filepath.Join(dir, "usr/lib/data"), "data")
	past := time.Unix(1600000000, 5)
	for _, err := range []error{
		unix.Setxattr(filepath.Join(dir, "usr/bin/tool"), "user.note", []byte("1"), 0),
		unix.Chmod(filepath.Join(dir, "usr/bin/tool"), 0o4755),
		os.Link(filepath.Join(dir, "usr/bin/tool"), filepath.Join(dir, "usr/bin/tool2")),
		os.Symlink("tool", filepath.Join(dir, "usr/bin/link")),
		unix.Mkfifo(filepath.Join(dir, "pipe"), 0o640),
		unix.Chmod(filepath.Join(dir, "usr/lib"), 0o2750),
		os.Chtimes(filepath.Join(dir, "usr/lib/data"), past, past),
		os.Chtimes(filepath.Join(dir, "usr/lib"), past, past),
		os.Chtimes(dir, past, past),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestCopyTree(t *testing.T) {
	from, to := filepath.Join(t.TempDir(), "from"), filepath.Join(t.TempDir(), "to")
	someTree(t, from)
	if err := CopyTree(from, to); err != nil {
		t.Fatal(err)
	}
	var a, b bytes.Buffer
	if err := pack(&a, from); err != nil {
		t.Fatal(err)
	}
	if err := pack(&b, to); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("the copy differs from the tree")
	}
	var one, two unix.Stat_t
	if err := unix.Lstat(filepath.Join(from, "usr/lib/data"), &one); err != nil {
		t.Fatal(err)
	}
	if err := unix.Lstat(filepath.Join(to, "usr/lib/data"), &two); err != nil {
		t.Fatal(err)
	}
	if one.Ino == two.Ino {
		t.Error("the copy is a link to the tree")
	}
	if err := CopyTree(from, to); !os.IsExist(err) && (err == nil || !strings.Contains(err.Error(), "exists")) {
		t.Errorf("over what is there: error %v", err)
	}
}

func TestRootCopyTree(t *testing.T) {
	if os.Geteuid() != 0 {
		treetest.Skip(t, "needs root: owners, capabilities, devices")
	}
	from, to := filepath.Join(t.TempDir(), "from"), filepath.Join(t.TempDir(), "to")
	someTree(t, from)
	capability := []byte{1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	for _, err := range []error{
		os.Lchown(filepath.Join(from, "usr/lib/data"), 12, 34),
		os.Lchown(filepath.Join(from, "usr/bin/link"), 12, 34),
		unix.Setxattr(filepath.Join(from, "usr/lib/data"), "security.capability", capability, 0),
		unix.Mknod(filepath.Join(from, "device"), unix.S_IFCHR|0o620, int(unix.Mkdev(1, 3))),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := CopyTree(from, to); err != nil {
		t.Fatal(err)
	}
	var a, b bytes.Buffer
	if err := pack(&a, from); err != nil {
		t.Fatal(err)
	}
	if err := pack(&b, to); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("the copy differs from the tree")
	}
}

func TestHandedOut(t *testing.T) {
	dir := t.TempDir()
	from := filepath.Join(dir, "from")
	someTree(t, from)
	expect := func(what string, h HandedOut, wantSame bool, wantEdited string) {
		t.Helper()
		same, edited, err := h.Same()
		if err != nil || same != wantSame || (wantEdited == "") != (edited == "") || !strings.Contains(edited, wantEdited) {
			t.Errorf("%s: same %v, edited %q, error %v", what, same, edited, err)
		}
	}
	tree := HandedOut{Path: filepath.Join(dir, "out"), Record: filepath.Join(dir, "private/out"), Of: "1"}
	expect("nothing there", tree, false, "")
	if err := CopyTree(from, tree.Path); err != nil {
		t.Fatal(err)
	}
	expect("without a record", tree, false, "")
	if err := tree.Note(nil); err != nil {
		t.Fatal(err)
	}
	expect("as it was noted", tree, true, "")
	other := tree
	other.Of = "2"
	expect("other content is wanted", other, false, "")
	if err := unix.Chmod(filepath.Join(tree.Path, "usr/bin/tool"), 0o755); err != nil {
		t.Fatal(err)
	}
	expect("a changed mode", tree, false, "usr/bin/tool has mode 0755, not 4755")
	expect("a changed mode, and other content is wanted", other, false, "has mode 0755")

	file := HandedOut{Path: filepath.Join(dir, "disk.raw"), Record: filepath.Join(dir, "private/disk.raw"), Of: "sum"}
	put(t, file.Path, "image")
	if err := file.Note(map[string]string{".": hashBytes([]byte("image"))}); err != nil {
		t.Fatal(err)
	}
	expect("a file", file, true, "")
	// Another name, as for a machine's disk: it is read once, and then known.
	if err := os.Link(file.Path, file.Path+".base"); err != nil {
		t.Fatal(err)
	}
	before := get(t, file.Record)
	expect("with one more name", file, true, "")
	if get(t, file.Record) == before {
		t.Error("what was read is not noted")
	}
	keepTimes(t, file.Path, func() error { return os.WriteFile(file.Path, []byte("imAge"), 0) })
	expect("an edited file", file, false, file.Path+" has other content")
	if err := os.Remove(file.Path); err != nil {
		t.Fatal(err)
	}
	expect("a removed file", file, false, "")
	put(t, file.Record, "{")
	expect("a record cut off", file, false, "")
}
