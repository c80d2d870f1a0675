package stage

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// parentCommit is what the new commit follows.
type parentCommit struct {
	version, tree string
	stamp         int64
	// made is the commit that the step is to make, if that is known.
	made string
	// lost is what is damaged in its history.
	lost []Damage
}

// inherit copies the repository that was found into out.
func (t *Task) inherit(out repository, p commitParams, bad []string) (parentCommit, error) {
	history, err := openRepository(t.Sources["history"])
	if err != nil {
		return parentCommit{}, err
	}
	refs, err := history.refs()
	if err != nil {
		return parentCommit{}, err
	}
	var parent parentCommit
	if head := refs[p.Ref]; head != p.Parent {
		// The head may be this very step's, whose result was damaged since.
		c, err := history.commit(head)
		if err != nil || c.Parent != p.Parent {
			return parentCommit{}, fmt.Errorf("its newest commit was %s when the build began, and is %s now; build once more", orNone(p.Parent), orNone(head))
		}
		parent.made = head
		delete(refs, p.Ref)
		if p.Parent != "" {
			refs[p.Ref] = p.Parent
		}
	}
	skip := map[string]bool{}
	for _, name := range bad {
		skip[name] = true
	}
	if parent.lost, err = history.copyObjects(out, refs, skip); err != nil {
		return parentCommit{}, err
	}
	for ref, sum := range refs {
		file := filepath.Join(out.dir, "refs/heads", filepath.FromSlash(ref))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return parentCommit{}, err
		}
		if err := os.WriteFile(file, []byte(sum+"\n"), 0o644); err != nil {
			return parentCommit{}, err
		}
	}
	if p.Parent == "" {
		return parent, nil
	}
	c, err := out.commit(p.Parent)
	if err != nil {
		return parentCommit{}, err
	}
	parent.version, parent.tree, parent.stamp = c.Metadata["version"], c.Tree, c.Timestamp
	return parent, nil
}

func orNone(commit string) string {
	if commit == "" {
		return "none"
	}
	return commit
}

// remake puts what the tree has and out lacks into out, though out may have
// what leads to it.
func (t *Task) remake(ctx context.Context, out repository, ref string) error {
	const wholeRepo = "--repo=" + ToolScratch + "/whole"
	for _, argv := range [][]string{
		{"ostree", wholeRepo, "init", "--mode=archive"},
		{"ostree", wholeRepo, "pull-local", ToolScratch + "/new", ref},
	} {
		if err := t.Tool(ctx, argv...); err != nil {
			return err
		}
	}
	whole := repository{filepath.Join(t.Scratch, "whole")}
	refs, err := whole.refs()
	if err != nil {
		return err
	}
	for _, name := range whole.reach(refs, nil).objects {
		if exists(filepath.Join(out.dir, objectPath(name))) || strings.HasSuffix(name, ".commit") {
			continue
		}
		if err := whole.place(name, out, copied); err != nil {
			return err
		}
	}
	return os.RemoveAll(filepath.Join(out.dir, stagedFiles))
}

// complete makes sure that nothing of what was lost in the history is missing
// now.
func (r repository) complete(history string, lost []Damage) error {
	refs, err := r.refs()
	if err != nil {
		return err
	}
	w := r.reach(refs, nil)
	left := map[string]Damage{}
	for _, d := range append(lost, w.lost...) {
		if !exists(filepath.Join(r.dir, objectPath(d.Object))) {
			left[d.Object] = d
		}
	}
	for _, name := range w.objects {
		if _, known := left[name]; !known && !exists(filepath.Join(r.dir, objectPath(name))) {
			left[name] = Damage{Object: name, Commit: w.needs[name], Reason: fs.ErrNotExist.Error()}
		}
	}
	if len(left) > 0 {
		return damagedHistory(history, sortedDamages(left))
	}
	return nil
}
