package commit

import (
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/stage/accounts"
	"github.com/treewright/treewright/builder/stage/planner"
	"github.com/treewright/treewright/builder/stage/rootfs"
)

// KeysFile is where machines have the public keys whose signatures they accept: the
// directory is that of libostree's keys for remotes without keys of their own (ostree
// remote add). It is part of the commit, so that an upgrade brings a new key.
const KeysFile = "/usr/share/ostree/trusted.gpg.d/treewright.gpg"

// keysFeature is the name that the step of the keys has in place of a feature's.
const keysFeature = "signing-keys"

// planKeys adds the step that brings the public keys, if there are any, and returns the
// last step. It comes after the initramfs, so that a change of keys does not make that again.
func planKeys(p *planner.Planner, tip string) (string, error) {
	if p.Keys == nil {
		return tip, nil
	}
	src, err := p.Sources.ImportGenerated(accounts.GeneratedSource(keysFeature), p.Project, []config.Generated{{Path: KeysFile, Content: p.Keys.Binary}})
	if err != nil {
		return "", err
	}
	return p.Add(rootfs.FilesAction.Step(rootfs.FilesParams{Feature: keysFeature}, plan.Step{
		ID: "commit/keys", Stage: "commit", Title: "bring the public keys that commits must be signed by",
		Base: tip, Sources: []plan.Source{src}, Output: plan.Layer, MemoryMiB: 128,
	}))
}
