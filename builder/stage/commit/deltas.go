package commit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/stage/planner"
	"github.com/treewright/treewright/builder/task"
)

// deltasParameter is the one of the feature with the commit stage that asks for static deltas.
// A feature that does not declare it has none.
const deltasParameter = "deltas"

// DeltasParams are the parameters of [DeltasAction].
type DeltasParams struct {
	Ref string `json:"ref"`
	// Count is from how many commits before the newest one there are deltas.
	Count int `json:"count"`
}

// DeltasAction makes static deltas that lead to the newest commit, and a summary that lists
// them.
var DeltasAction = task.Define("static-deltas", 1, makeDeltas)

// deltasDir is where the step leaves them.
const deltasDir = "deltas-of-repo"

// planDeltas adds the step that makes static deltas, if the flavour asks for some. It is not
// a part of the commit's own step: their number is not a part of what makes a commit.
func planDeltas(p *planner.Planner, c planner.Commit, names ostree.Names, tools string) error {
	v, declared := p.Spec.StageParameter("commit", deltasParameter)
	if !declared || v.Int() == 0 {
		return nil
	}
	_, err := p.Add(DeltasAction.Step(DeltasParams{Ref: names.Ref, Count: int(v.Int())}, plan.Step{
		ID: "commit/deltas", Stage: "commit", Title: "make static deltas to the new commit", Tools: tools,
		// bsdiff takes many times the size of a file.
		Inputs: map[string]string{"repo": c.Repo}, Output: plan.Dir, MemoryMiB: 1024,
		Artifacts: []plan.Artifact{{Name: names.Repo, Path: deltasDir, Kind: plan.DeltasArtifact, Description: "static deltas of the repository"}},
	}))
	return err
}

// makeDeltas makes t.Out/deltas-of-repo with the static deltas. It is empty if the commit is
// the first one.
func makeDeltas(ctx context.Context, t *task.Task, p DeltasParams) error {
	in, out := ostree.At(filepath.Join(t.Inputs["repo"], "repo")), filepath.Join(t.Out, deltasDir)
	if err := os.Mkdir(out, 0o755); err != nil {
		return err
	}
	head, err := in.Head(p.Ref)
	if err != nil {
		return err
	}
	newest, err := in.Commit(head)
	if err != nil {
		return err
	}
	from, err := in.Before(head, p.Count)
	if err != nil || len(from) == 0 {
		return err
	}
	repo, argument := filepath.Join(t.Scratch, "deltas"), "--repo="+task.ToolScratch+"/deltas"
	if err := t.Tool(ctx, "ostree", argument, "init", "--mode=archive"); err != nil {
		return err
	}
	if err := lendObjects(t, repo); err != nil {
		return fmt.Errorf("make a repository for static deltas: %w", err)
	}
	for _, sum := range from {
		if err := t.Tool(ctx, "ostree", argument, "static-delta", "generate", "--from="+sum, "--to="+head, "--set-endianness=l"); err != nil {
			return err
		}
	}
	made := ostree.At(repo)
	if err := made.SetDeltaTimes(newest.Timestamp); err != nil {
		return err
	}
	for _, argv := range [][]string{{"static-delta", "reindex"}, {"summary", "--update"}} {
		if err := t.Tool(ctx, append([]string{"ostree", argument}, argv...)...); err != nil {
			return err
		}
	}
	if err := made.SetSummaryTime(newest.Timestamp); err != nil {
		return err
	}
	for _, name := range ostree.DeltaParts {
		err := os.Rename(filepath.Join(repo, name), filepath.Join(out, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("take the static deltas: %w", err)
		}
	}
	return nil
}

// lendObjects gives a repository the refs and objects of the step's input, which is read-only. ostree
// writes no deltas into a repository whose directory of objects is that, so it has links to the
// directories in it.
func lendObjects(t *task.Task, repo string) error {
	in := filepath.Join(t.Inputs["repo"], "repo")
	if err := os.RemoveAll(filepath.Join(repo, "refs")); err != nil {
		return err
	}
	if err := layer.CopyTree(filepath.Join(in, "refs"), filepath.Join(repo, "refs")); err != nil {
		return err
	}
	dirs, err := os.ReadDir(filepath.Join(in, "objects"))
	if err != nil {
		return err
	}
	for _, d := range dirs {
		to := filepath.Join(repo, "objects", d.Name())
		if err := os.Symlink(task.ToolIn+"/repo/repo/objects/"+d.Name(), to); err != nil {
			return err
		}
	}
	return nil
}
