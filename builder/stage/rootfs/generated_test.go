package rootfs

import (
	"bytes"
	"context"
	"maps"
	"path/filepath"
	"slices"
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
	err := setGenerated(context.Background(), job, "flavour", ownOf(files), tree, nil)
	if want := `flavours/own.hcl:7: /etc/own of flavour cannot have this owner: the tree has no group "sensor". Did you mean "sensors"?`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	files[1].Group, files[1].Owner = "", "www-date"
	err = setGenerated(context.Background(), job, "flavour", ownOf(files), tree, nil)
	if want := `no user "www-date". Did you mean "www-data"?`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestOwnersInDirectories: what a directory is copied with an owner for is its own content:
// neither directories that were there, nor what is written by itself.
func TestOwnersInDirectories(t *testing.T) {
	files := []config.Generated{
		{Path: "/srv/app/key", Mode: "0600"}, {Path: "/srv/app/plain"}, {Path: "/srv/apple"},
		{Path: "/srv/app", Source: "app", Owner: "web"},
	}
	own := ownOf(files)
	want := []ownParams{{Path: "/srv/app", Owner: "web"}, {Path: "/srv/app/key", Mode: "0600"}, {Path: "/srv/app/plain"}}
	if !slices.Equal(own, want) {
		t.Errorf("owners are set of %+v", own)
	}
	tree := treetest.Lay(t, t.TempDir(), "usr/lib/", "srv/app/old/x", "lib -> usr/lib")
	from := treetest.Lay(t, t.TempDir(), "srv/app/old/y", "srv/app/new/z", "srv/app/link -> old", "lib/a")
	had, err := directoriesOf(tree, from, own)
	if err != nil || !maps.Equal(had, map[string]bool{"/srv": true, "/srv/app": true, "/srv/app/old": true, "/lib": true}) {
		t.Errorf("there were %v, %v", had, err)
	}
	got, err := filesBelow(from, "/srv/app", had)
	if want := []string{"/srv/app/new", "/srv/app/new/z", "/srv/app/old/y"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("the owner is that of %v, %v", got, err)
	}
	if had, err := directoriesOf(tree, "/nowhere", nil); err != nil || len(had) > 0 {
		t.Errorf("without owners: %v, %v", had, err)
	}
}
