package ostree

import (
	"os"
	"path/filepath"
	"testing"
)

// TestStored counts the objects of repositories of two modes that ostree made.
func TestStored(t *testing.T) {
	real, dir := makeReal(t), filepath.Join(t.TempDir(), "bare")
	archive, bare := At(real.dir), At(dir)
	runOSTree(t, "--repo="+dir, "init", "--mode=bare-user")
	if n, lacking := bare.Stored(), bare.Lacks(archive); n != 0 || lacking != archive.Stored() {
		t.Errorf("an empty repository has %d objects, and lacks %d of %d", n, lacking, archive.Stored())
	}
	runOSTree(t, "--repo="+dir, "pull-local", "--depth=-1", real.dir, real.head)
	if bare.Stored() != archive.Stored() || bare.Lacks(archive) != 0 || archive.Lacks(bare) != 0 {
		t.Errorf("%d objects of %d were pulled, %d and %d differ", bare.Stored(), archive.Stored(), bare.Lacks(archive), archive.Lacks(bare))
	}
	// What is in a transaction is stored, too.
	head := ObjectPath(real.head + ".commit")
	moved := filepath.Join(real.dir, "tmp/staging-x", head[len("objects/"):])
	if err := os.MkdirAll(filepath.Dir(moved), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(real.dir, head), moved); err != nil {
		t.Fatal(err)
	}
	if archive.Stored() != bare.Stored() || archive.Lacks(bare) != 0 {
		t.Errorf("a commit in a transaction is not counted: %d of %d", archive.Stored(), bare.Stored())
	}
}
