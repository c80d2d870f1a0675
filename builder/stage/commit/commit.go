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

const (
	outRepo = "--repo=" + task.ToolOut + "/repo"
	newRepo = "--repo=" + task.ToolScratch + "/new"
)

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
var Action = task.Define("ostree-commit", 6, commitTree)

// commitTree makes t.Out/repo, an archive repository with the whole history
// and the tree as its newest commit, unless the tree is the parent's.
//
// The commit is made in a bare repository first: that only reads and hashes.
// What the history does not have yet is then compressed on all cores.
func commitTree(ctx context.Context, t *task.Task, p Params) error {
	hints, err := task.Hints[Hints](t)
	if err != nil {
		return err
	}
	for _, argv := range [][]string{
		{"ostree", outRepo, "init", "--mode=archive"},
		{"ostree", outRepo, "config", "set", "archive.zlib-level", "1"},
		{"ostree", newRepo, "init", "--mode=bare"},
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
	if err := commitBare(ctx, t, p, parent); err != nil {
		return err
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

// commitBare commits the tree into the bare repository.
func commitBare(ctx context.Context, t *task.Task, p Params, parent ostree.Parent) error {
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
	argv := []string{"ostree", newRepo, "commit", "--branch=" + p.Ref, "--tree=dir=" + task.ToolIn + "/tree", "--subject=" + p.Subject,
		"--timestamp=@" + strconv.FormatInt(stamp, 10), "--bootable", "--no-bindings", "--add-metadata-string=version=" + version}
	if p.Parent != "" {
		argv = append(argv, "--parent="+p.Parent)
	}
	for _, key := range slices.Sorted(maps.Keys(metadata)) {
		argv = append(argv, "--add-metadata-string="+key+"="+metadata[key])
	}
	defer counting(t, ostree.At(filepath.Join(t.Scratch, "new")), filesBelow(t, t.Inputs["tree"]), "files read")()
	return t.Tool(ctx, argv...)
}

// follow brings the commit that was made into the repository out, and returns
// it. If its tree is the parent's there is no new one, and it returns the parent.
func follow(ctx context.Context, t *task.Task, p Params, hints Hints, out ostree.Repository, parent ostree.Parent) (string, *format.OSTreeCommit, error) {
	made := ostree.At(filepath.Join(t.Scratch, "new"))
	head, err := made.Head(p.Ref)
	if err != nil {
		return "", nil, err
	}
	c, err := made.Commit(head)
	if err != nil {
		return "", nil, err
	}
	if len(parent.Lost) > 0 {
		if err := remake(ctx, t, out, p.Ref); err != nil {
			return "", nil, fmt.Errorf("make what is damaged in the history of %s: %w", p.Ref, err)
		}
	}
	if p.Parent != "" && c.Tree == parent.Tree {
		fmt.Fprintln(t.Log, "the tree is that of the newest commit, so there is no new one")
		c, err = out.Commit(p.Parent)
		return p.Parent, c, err
	}
	if hints.Again {
		warnOfOtherBytes(t, out, made, p.Parent, parent.Tree, c.Tree)
	}
	defer counting(t, out, out.Lacks(made), "files compressed")()
	return head, c, t.Tool(ctx, "ostree", outRepo, "pull-local", task.ToolScratch+"/new", p.Ref)
}

// remake puts what the tree has and out lacks into out, though out may have
// what leads to it.
func remake(ctx context.Context, t *task.Task, out ostree.Repository, ref string) error {
	const wholeRepo = "--repo=" + task.ToolScratch + "/whole"
	for _, argv := range [][]string{
		{"ostree", wholeRepo, "init", "--mode=archive"},
		{"ostree", wholeRepo, "pull-local", task.ToolScratch + "/new", ref},
	} {
		if err := t.Tool(ctx, argv...); err != nil {
			return err
		}
	}
	return out.Fill(ostree.At(filepath.Join(t.Scratch, "whole")))
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
