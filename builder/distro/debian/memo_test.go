package debian

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/layer"
)

// TestDamagedMemo: an answer of apt's that the disk has changed is not believed.
// There is no apt to ask here, so that asking it again fails.
func TestDamagedMemo(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	dir, temp := t.TempDir(), t.TempDir()
	t.Setenv("TMPDIR", temp)
	a := &Archive{root: filepath.Join(dir, "none"), results: dir}
	raw, err := json.Marshal(&distro.Closure{Packages: []distro.Archived{{Package: distro.Package{Name: "hello", Version: "2.10-3", Arch: "amd64"}}}})
	if err != nil {
		t.Fatal(err)
	}
	memo := filepath.Join(dir, a.question(nil, nil)+".json")
	if err := layer.WriteSealed(memo, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	if c, err := a.Resolve(ctx, nil, nil); err != nil || len(c.Packages) != 1 || c.Packages[0].Version != "2.10-3" {
		t.Errorf("what is remembered: %+v, error %v", c, err)
	}
	text, err := os.ReadFile(memo)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(memo, bytes.Replace(text, []byte("2.10-3"), []byte("2.10-2"), 1), 0o644); err != nil {
		t.Fatal(err)
	}
	if c, err := a.Resolve(ctx, nil, nil); err == nil {
		t.Errorf("what is damaged is believed: %+v", c)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("failing left %v, error %v", left, err)
	}
}
