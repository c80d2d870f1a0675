package stage

import (
	"fmt"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/source"
	"github.com/treewright/treewright/builder/stage/commit"
	"github.com/treewright/treewright/builder/stage/planner"
	"github.com/treewright/treewright/builder/stage/rootfs"
	"github.com/treewright/treewright/builder/task"
)

// PlanTools returns the steps that make a tree with programs for this machine, such as QEMU, and the
// ID of the last one. name goes into the steps' IDs. base are the packages to bootstrap from, above
// those on top, of which wants were wished for. It is not part of [Plan]: who only
// builds does not pay for it.
func PlanTools(r planner.Request, name string, base, above *distro.Closure, wants []distro.Want) (*plan.Graph, string, error) {
	r.Packages = planner.Packages{Base: base}
	p := &planner.Planner{Request: r}
	root, err := p.Bootstrap()
	if err != nil {
		return nil, "", err
	}
	id, err := p.Install(name, name, root, base, above, wants)
	return &p.Graph, id, err
}

// Successor describes a commit for [PlanSuccessor].
type Successor struct {
	// Name goes into the steps' IDs and the commit's subject.
	Name string
	// Files is a directory whose file.include is laid over the tree as it is
	// committed: /etc is /usr/etc there.
	Files string
	// Repo is the repository that has Parent, which the new commit follows.
	Repo, Parent string
	Sources      source.Snapshots
}

// PlanSuccessor adds a commit to a flavour's plan that differs from the
// flavour's own by a few files and follows it. It is made by the commit stage
// like any other; but as no artifact of it is published where the flavour's
// are, its history is not touched. It returns the ID of the commit step.
func PlanSuccessor(g *plan.Graph, s Successor) (string, error) {
	own, tree := g.Step("commit/commit"), g.Step("commit/tree")
	if own == nil || tree == nil {
		return "", fmt.Errorf("plan a successor: the flavour has no commit stage")
	}
	src, err := s.Sources.Import("features/"+s.Name, s.Files, source.Only("file.include"))
	if err != nil {
		return "", err
	}
	next := rootfs.FilesAction.Step(rootfs.FilesParams{Feature: s.Name}, plan.Step{
		ID: "commit/tree-" + s.Name, Stage: "commit", Title: "change the tree for " + s.Name, Base: tree.ID, Sources: []plan.Source{src}, Output: plan.Layer, Arch: tree.Arch, Family: tree.Family, MemoryMiB: 128,
	})
	if err := g.Add(next); err != nil {
		return "", err
	}
	p, err := commit.Action.Params(own)
	if err != nil {
		return "", err
	}
	p.Subject += " (" + s.Name + ")"
	p.Parent = s.Parent
	p.Metadata[ostree.RecipeKey] = g.Key(next.ID)
	step := commit.Action.Step(p, *own)
	step.ID, step.Title = "commit/commit-"+s.Name, "commit the tree of "+s.Name
	step.Hints = task.EncodeHints(commit.Hints{})
	step.Inputs = map[string]string{"tree": next.ID}
	step.Sources = []plan.Source{{Name: "history", Digest: "ostree:" + s.Parent, Path: s.Repo}}
	return step.ID, g.Add(step)
}
