package rootfs

import (
	"bytes"
	"context"
	"path/filepath"
	"testing"

	"github.com/treewright/treewright/builder/distro/debian"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/task"
	"github.com/treewright/treewright/builder/treefs"
	"github.com/treewright/treewright/builder/treetest"
)

func TestExcludeAction(t *testing.T) {
	tree := treetest.Lay(t, t.TempDir(), "usr/share/doc/a/x", "usr/share/doc/b/y", "etc/gone", "etc/kept", "link -> etc/kept")
	var log bytes.Buffer
	job := &task.Task{Distro: debian.Family{}, Tree: tree, Log: &log, Step: &plan.Step{ID: "x", Params: ExcludeAction.Step(linesParams{Feature: "f", Lines: []string{"/usr/share/doc/*", `"/etc/gone"`, "/link", "/none"}}, plan.Step{}).Params}}
	if err := ExcludeAction.Do(context.Background(), job); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"usr/share/doc": true, "usr/share/doc/a": false, "etc/gone": false, "etc/kept": true, "link": false} {
		if got := treefs.Exists(filepath.Join(tree, name)); got != want {
			t.Errorf("%s is there: %v", name, got)
		}
	}
	if want := "removed /usr/share/doc/a\nremoved /usr/share/doc/b\nremoved /etc/gone\nremoved /link\n"; log.String() != want {
		t.Errorf("log %q, want %q", log.String(), want)
	}
	// The tree itself is nothing to exclude.
	job.Step.Params = ExcludeAction.Step(linesParams{Feature: "f", Lines: []string{"/"}}, plan.Step{}).Params
	if err := ExcludeAction.Do(context.Background(), job); err == nil || !treefs.Exists(filepath.Join(tree, "etc/kept")) {
		t.Errorf("excluding / gives %v", err)
	}
}
