package stages

import (
	"path/filepath"
	"testing"

	"github.com/treewright/treewright/builder/source"
	"github.com/treewright/treewright/builder/treetest"
)

// TestMentionsBehindLinks: a folder that is a link is looked into.
func TestMentionsBehindLinks(t *testing.T) {
	tree := treetest.Lay(t, t.TempDir(), "common/image@0755", "features/x -> ../common")
	treetest.Write(t, filepath.Join(tree, "common/image"), "#!/bin/bash\ncat /builder/features/y/file\n")
	dir := filepath.Join(tree, "features/x")
	if found, err := mentions(dir, source.Only("image"), builderMentions); err != nil || !found {
		t.Errorf("what a linked feature's script says is not found, error %v", err)
	}
	one, err := source.DigestDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	treetest.Write(t, filepath.Join(tree, "common/image"), "else")
	if two, err := source.DigestDir(dir); err != nil || two == one {
		t.Errorf("an edit in a linked folder changes no digest, error %v", err)
	}
}
