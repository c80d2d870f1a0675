package scaffold

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/treefs"
	"github.com/treewright/treewright/builder/treetest"
)

// TestCopied: files are copied with links and what is executable, also if the feature's
// directory is a link, and nothing is touched that is there.
func TestCopied(t *testing.T) {
	shared := treetest.Lay(t, t.TempDir(), "common/x/info.yaml", "common/x/exec.config@0755", "common/x/file.include/etc/link -> ../away", "common/x/.hidden", "features/x -> ../common/x")
	root := &config.Root{Name: "../shared", Prefix: "../shared/", FS: treefs.New(shared)}
	tree := t.TempDir()
	f := &config.Feature{Name: "x", Dir: "../shared/features/x", Root: root}
	wrote, err := Copied(tree, f)
	if want := []string{"features/x/.hidden", "features/x/exec.config", "features/x/file.include/etc/link", "features/x/info.yaml"}; err != nil || !slices.Equal(wrote, want) {
		t.Fatalf("wrote %v, error %v", wrote, err)
	}
	if target, err := os.Readlink(filepath.Join(tree, "features/x/file.include/etc/link")); target != "../away" {
		t.Errorf("the link leads to %q, %v", target, err)
	}
	for name, executable := range map[string]bool{"exec.config": true, "info.yaml": false} {
		file := filepath.Join(tree, "features/x", name)
		if info, err := os.Stat(file); err != nil || (info.Mode()&0o111 != 0) != executable {
			t.Errorf("%s: %v, %v", name, info, err)
		}
		if got := treetest.Content(t, file); got != "common/x/"+name {
			t.Errorf("%s holds %q", name, got)
		}
	}
	if wrote, err := Copied(tree, f); err == nil || len(wrote) > 0 || !strings.Contains(err.Error(), "there is features/x already") {
		t.Errorf("again: %v, %v", wrote, err)
	}
}
