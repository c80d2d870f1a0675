package commit

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/treewright/treewright/builder/format"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/stage/installed"
	"github.com/treewright/treewright/builder/task"
)

// Keys of a commit's metadata, beside the recipe.
const (
	FlavourKey  = "treewright.flavour"
	FeaturesKey = "treewright.features"
	PackagesKey = "treewright.packages"
)

const outRepo = "--repo=" + task.ToolOut + "/repo"

// Params are the parameters of [Action].
type Params struct {
	// OSName is not used to commit. It is here as keys, and the recipe of commits
	// that machines have, cover it.
	OSName  string `json:"os_name"`
	Ref     string `json:"ref"`
	Subject string `json:"subject"`
	// Parent is the commit to descend from, "" for the first one.
	Parent string `json:"parent"`
	// Metadata holds entries whose value is a string.
	Metadata map[string]string `json:"metadata"`
}

// Hints is what the commit action should know of this host's copy of the
// history.
type Hints struct {
	// Bad are objects of it that are damaged.
	Bad []string `json:"bad,omitempty"`
	// Again reports that the parent was made by this very recipe: another tree is
	// then no change that anybody asked for.
	Again bool `json:"again,omitempty"`
}

// Action commits a tree to a repository with the whole history.
var Action = task.Define("ostree-commit", 8, commitTree)

// commitTree makes t.Out/repo, an archive repository with the whole history
// and the tree as its newest commit, unless the tree is the parent's.
//
// What a tree is called follows from the indices of its layers, so only files that the
// history does not have are read. Then ostree makes the commit object.
func commitTree(ctx context.Context, t *task.Task, p Params) error {
	hints, err := task.Hints[Hints](t)
	if err != nil {
		return err
	}
	for _, argv := range [][]string{
		{"ostree", outRepo, "init", "--mode=archive"},
		{"ostree", outRepo, "config", "set", "archive.zlib-level", "1"},
	} {
		if err := t.Tool(ctx, argv...); err != nil {
			return err
		}
	}
	out := ostree.At(filepath.Join(t.Out, "repo"))
	var parent ostree.Parent
	if t.Sources["history"] != "" {
		if parent, err = ostree.Inherit(t.Sources["history"], out, p.Ref, p.Parent, hints.Bad); err != nil {
			return fmt.Errorf("take over the history of %s: %w", p.Ref, err)
		}
	}
	head, c, err := follow(ctx, t, p, hints, out, parent)
	if err != nil {
		return err
	}
	if len(parent.Lost) > 0 {
		if err := out.Complete(t.Sources["history"], parent.Lost); err != nil {
			return err
		}
	}
	if parent.Made != "" && head != parent.Made {
		return fmt.Errorf("commit %s of %s was made by this step, whose result was damaged in the cache; "+
			"made again it is commit %s, because an earlier step gave other bytes; the next build adds it as the commit after that one", parent.Made, p.Ref, head)
	}
	t.Facts["commit"], t.Facts["ref"], t.Facts["version"], t.Facts["parent"] = head, p.Ref, c.Metadata["version"], c.Parent
	if err := t.Tool(ctx, "ostree", outRepo, "summary", "--update"); err != nil {
		return err
	}
	return out.SetSummaryTime(c.Timestamp)
}

// follow commits the tree, and returns the commit. If the tree is the parent's, it makes
// none and returns the parent.
func follow(ctx context.Context, t *task.Task, p Params, hints Hints, out ostree.Repository, parent ostree.Parent) (string, *format.OSTreeCommit, error) {
	tree, err := Contents(t)
	if err != nil {
		return "", nil, err
	}
	same := p.Parent != "" && tree.Tree == parent.Tree
	// Damaged objects of the history that the tree has are made again.
	if !same || len(parent.Lost) > 0 {
		if err := write(ctx, t, out, tree); err != nil {
			return "", nil, err
		}
	}
	if same {
		fmt.Fprintln(t.Log, "the tree is that of the newest commit, so there is no new one")
		c, err := out.Commit(p.Parent)
		return p.Parent, c, err
	}
	if hints.Again {
		warnOfOtherBytes(t, out, p.Parent, parent.Tree, tree.Tree)
	}
	if err := commitObject(ctx, t, p, out, tree, parent); err != nil {
		return "", nil, err
	}
	head, err := out.Head(p.Ref)
	if err != nil {
		return "", nil, err
	}
	c, err := out.Commit(head)
	if err == nil && c.Tree != tree.Tree {
		err = fmt.Errorf("ostree committed the tree %s instead of %s", c.Tree, tree.Tree)
	}
	return head, c, err
}

// Contents returns what a commit of the task's input tree has.
func Contents(t *task.Task) (*ostree.Contents, error) {
	var stack []string
	for _, l := range t.Layers["tree"] {
		stack = append(stack, l.Dir)
	}
	root, err := layer.Merged(stack)
	if err != nil {
		return nil, err
	}
	return ostree.ContentsOf(root, t.Inputs["tree"])
}

// write puts what the repository lacks of the tree into it.
func write(ctx context.Context, t *task.Task, out ostree.Repository, tree *ostree.Contents) error {
	lacks, err := out.Lacks(tree)
	if err != nil {
		return err
	}
	return out.Write(ctx, tree, lacks, func(done int) {
		if t.Counted != nil {
			t.Counted(int64(done), int64(len(lacks)), "objects written")
		}
	})
}

// commitObject has ostree make the commit of the tree, which is in the repository.
func commitObject(ctx context.Context, t *task.Task, p Params, out ostree.Repository, tree *ostree.Contents, parent ostree.Parent) error {
	stamp := stampAfter(t.Epoch, parent.Stamp)
	version := time.Unix(t.Epoch, 0).UTC().Format("20060102")
	if t.Sources["history"] != "" {
		version = nextVersion(version, parent.Version)
	}
	packages, err := installed.Committed(t.Distro, t.Inputs["tree"])
	if err != nil {
		return err
	}
	metadata := maps.Clone(p.Metadata)
	if len(packages) > 0 {
		metadata[PackagesKey] = installed.Lines(packages)
	}
	bare, remove, err := out.AddBareCommit(tree)
	if err != nil {
		return err
	}
	argv := []string{"ostree", outRepo, "commit", "--branch=" + p.Ref, "--tree=ref=" + bare, "--subject=" + p.Subject,
		"--timestamp=@" + strconv.FormatInt(stamp, 10), "--bootable", "--no-bindings", "--add-metadata-string=version=" + version}
	if p.Parent != "" {
		argv = append(argv, "--parent="+p.Parent)
	}
	for _, key := range slices.Sorted(maps.Keys(metadata)) {
		argv = append(argv, "--add-metadata-string="+key+"="+metadata[key])
	}
	if err := out.WithoutReserve(func() error { return t.Tool(ctx, argv...) }); err != nil {
		return err
	}
	return remove()
}

// stampAfter returns the time of a commit whose packages are of the epoch, and which follows
// one of the time parent, 0 for the first one. It is later than the parent's: ostree refuses
// to upgrade to a commit that is older than the running one, but takes one of the same time,
// with which a server could lead machines back.
func stampAfter(epoch, parent int64) int64 {
	if parent == 0 {
		return epoch
	}
	return max(epoch, parent+1)
}

// nextVersion returns a version for a commit whose packages are of the given
// date, YYYYMMDD, that comes after its parent's: DATE, or DATE.N if the parent
// is of that date already, or of a later one.
func nextVersion(date, parent string) string {
	day, count, counted := strings.Cut(parent, ".")
	if len(day) != len(date) || strings.Trim(day, "0123456789") != "" || day < date {
		return date
	}
	n, err := strconv.Atoi(count)
	if counted && err != nil {
		return date
	}
	return day + "." + strconv.Itoa(n+1)
}
