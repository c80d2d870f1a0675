package rootfs

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/task"
	"github.com/treewright/treewright/builder/treetest"
)

func TestOwnerOfGenerated(t *testing.T) {
	files := []config.Generated{{Path: "/etc/plain"}, {Path: "/etc/own", Group: "sensor", Range: hcl.Range{Filename: "flavours/own.hcl", Start: hcl.Pos{Line: 7}}}}
	if hintsOf(files[:1]) != nil || len(ownOf(files[:1])) != 0 {
		t.Error("a plain file needs more than to be copied")
	}
	tree := treetest.Lay(t, t.TempDir(), "etc/own")
	treetest.Write(t, filepath.Join(tree, "etc/passwd"), "root:x:0:0::/root:/bin/sh\nwww-data:x:33:33::/:/bin/sh\n")
	treetest.Write(t, filepath.Join(tree, "etc/group"), "root:x:0:\nsensors:x:500:\n")
	job := &task.Task{Tree: tree, Log: &bytes.Buffer{}, Step: &plan.Step{ID: "x", Hints: hintsOf(files)}}
	err := setGenerated(context.Background(), job, "flavour", ownOf(files), tree)
	if want := `flavours/own.hcl:7: /etc/own of flavour: the tree has no group "sensor"; did you mean "sensors"?`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	files[1].Group, files[1].Owner = "", "www-date"
	err = setGenerated(context.Background(), job, "flavour", ownOf(files), tree)
	if want := `no user "www-date"; did you mean "www-data"?`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}
