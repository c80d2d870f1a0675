package stage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/stage/installed"
	"github.com/treewright/treewright/builder/stage/lint"
	"github.com/treewright/treewright/builder/stage/shape"
	"github.com/treewright/treewright/builder/task"
	"github.com/treewright/treewright/builder/treefs"
)

// Keys of a commit's metadata, beside the recipe.
const (
	flavourKey  = "treewright.flavour"
	featuresKey = "treewright.features"
	packagesKey = "treewright.packages"
)

type commitParams struct {
	OSName  string `json:"os_name"`
	Ref     string `json:"ref"`
	Subject string `json:"subject"`
	// Parent is the commit to descend from, "" for the first one.
	Parent string `json:"parent"`
	// Metadata holds entries whose value is a string.
	Metadata map[string]string `json:"metadata"`
}

// commitHints is what the commit action should know of this host's copy of the
// history.
type commitHints struct {
	// Bad are objects of it that are damaged.
	Bad []string `json:"bad,omitempty"`
	// Again says that the parent was made by this very recipe: another tree is
	// then no change that anybody asked for.
	Again bool `json:"again,omitempty"`
}

// CommitNames are the names that follow from the parameters of the feature that
// stands for the commit stage; false if the system has none.
func CommitNames(spec *compose.Spec) (ostree.Names, bool) {
	f := spec.StageFeature("commit")
	if f == nil {
		return ostree.Names{}, false
	}
	value := func(name string) string { return spec.Parameters[f.Name][name].String() }
	arch := spec.Flavour.Distribution.Arch
	n := ostree.Names{OSName: value("os_name"), Ref: value("ref"), ArchiveURL: strings.TrimRight(value("archive_url"), "/")}
	n.Repo = n.OSName + "-repo-" + arch
	n.Archive = "ostree-" + n.OSName + "-repo-" + arch + ".tar.gz"
	n.FirstCommit = value("first_commit") == "true"
	return n, true
}

// Commit is what the commit stage leaves for those after it.
type Commit struct {
	// System is the step that leaves the system's tree with its package database,
	// and Tree the one that leaves it as it is committed; both are the same for a
	// system without commits.
	System, Tree string
	// Repo is the step that commits, "" if there is none.
	Repo string
	// own says that the newest commit was made by the recipe of this plan, or of
	// one with the numbers of the commit before; found that it is at hand as the
	// result of the step.
	own, found bool
}

// planCommit plans the stage that turns the system's tree into a commit of an
// OSTree repository.
func planCommit(p *Planner, system System) (Commit, error) {
	c := Commit{System: system.Tree, Tree: system.Tree}
	names, ok := CommitNames(p.Spec)
	if !ok {
		return c, nil
	}
	tools, err := p.ToolsLayer(distro.ForCommit)
	if err != nil {
		return c, err
	}
	if c.System, err = p.settleAccounts(system.Tree); err != nil {
		return c, err
	}
	if c.Tree, err = p.planTree(c.System, tools, system.origins); err != nil {
		return c, err
	}
	if err := p.commitTree(&c, names, tools); err != nil {
		return c, err
	}
	_, err = p.Add(archiveAction.Step(archiveParams{Name: names.Archive}, plan.Step{
		ID: "commit/archive", Stage: "commit", Title: "pack the repository",
		Inputs: map[string]string{"repo": c.Repo}, Output: plan.Dir, MemoryMiB: 128,
		Artifacts: []plan.Artifact{{Name: names.Archive, Path: names.Archive, Kind: plan.FileArtifact, Description: "the repository as one file, for other builders"}},
	}))
	return c, err
}

// planTree adds the steps that give the system's tree the shape of a commit.
func (p *Planner) planTree(system, tools string, from originSteps) (string, error) {
	initramfs, err := p.Add(initramfsAction.Step(struct{}{}, plan.Step{
		ID: "commit/initramfs", Stage: "commit", Title: "make the initramfs", Base: system, Output: plan.Layer,
	}))
	if err != nil {
		return "", err
	}
	return p.Add(shape.Action.Step(shape.Params{
		Secrets: lint.AllowedSecrets(p.Spec.Features),
		HTTPS:   lint.ChecksCertificates(p.parameter(p.Spec.StageFeature("commit"), "remote_url").String()),
	}, plan.Step{
		ID: "commit/tree", Stage: "commit", Title: "bring the tree into OSTree's shape and check it",
		Base: initramfs, Tools: tools, Inputs: from.inputs(), Output: plan.Layer,
	}))
}

// commitTree adds the step that commits the tree.
func (p *Planner) commitTree(c *Commit, names ostree.Names, tools string) error {
	var features []string
	for _, f := range p.Spec.Features {
		features = append(features, f.Name)
	}
	f := p.Spec.StageFeature("commit")
	params := commitParams{
		OSName: names.OSName, Ref: names.Ref, Subject: p.parameter(f, "subject").String(),
		Metadata: map[string]string{
			flavourKey:  p.Spec.Flavour.Name,
			featuresKey: strings.Join(features, " "),
		},
	}
	recipe := commitAction.Step(params, plan.Step{}).Params
	sum := sha256.Sum256(append([]byte(p.Graph.Key(c.Tree)), recipe...))
	params.Metadata[ostree.RecipeKey] = hex.EncodeToString(sum[:])

	step := func(parent string, hints commitHints) plan.Step {
		params.Parent = parent
		s := commitAction.Step(params, plan.Step{
			ID: "commit/commit", Stage: "commit", Title: "commit the tree to " + names.Ref, Tools: tools, Inputs: map[string]string{"tree": c.Tree}, Output: plan.Dir, MemoryMiB: 768,
			Hints:     task.EncodeHints(hints),
			Artifacts: []plan.Artifact{{Name: names.Repo, Path: "repo", Kind: plan.RepositoryArtifact, Description: "the OSTree repository that machines pull " + names.Ref + " from"}},
		})
		if parent != "" || len(p.History.Others) > 0 {
			s.Sources = []plan.Source{{Name: "history", Digest: p.History.Digest(names.Ref, parent), Path: p.History.Repo}}
		}
		return p.placed(s)
	}
	// If the newest commit is this step's own result, which is there, the step is
	// the same one as then: its parent is that one's. A newest commit that this
	// recipe made and that is not at hand is a parent like any other. It stays the
	// newest one if the tree is the same, and is never made anew in its place:
	// that gives another commit where a step gives other bytes each time.
	c.own = p.own || p.History.Head != "" && p.History.Recipe == params.Metadata[ostree.RecipeKey]
	if c.own && p.Made != nil {
		mine := step(p.History.Parent, commitHints{})
		key, err := p.Graph.KeyOf(mine)
		if err != nil {
			return err
		}
		if p.Made(key) == p.History.Head {
			c.found = true
			c.Repo, err = p.Add(mine)
			return err
		}
	}
	var bad []string
	if p.History.Checked != nil {
		for _, d := range p.History.Checked.Bad {
			bad = append(bad, d.Object)
		}
	}
	var err error
	c.Repo, err = p.Add(step(p.History.Head, commitHints{Bad: bad, Again: c.own}))
	return err
}

// copyKernels puts what belongs to a kernel beside its modules, where ostree
// looks, as /boot is empty in a commit. Since forky Debian's kernels lie there
// already.
func copyKernels(tree string) error {
	modules := filepath.Join(tree, "usr/lib/modules")
	kernels, err := os.ReadDir(modules)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("look for kernels: %w", err)
	}
	for _, k := range kernels {
		for _, name := range []string{"vmlinuz", "config", "System.map"} {
			from, to := filepath.Join(tree, "boot", name+"-"+k.Name()), filepath.Join(modules, k.Name(), name)
			if !treefs.Exists(from) || treefs.Exists(to) {
				continue
			}
			content, err := os.ReadFile(from)
			if err != nil {
				return err
			}
			if err := os.WriteFile(to, content, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

var initramfsAction = task.Define("initramfs", 2, makeInitramfs)

// makeInitramfs makes an initramfs for each kernel of the tree, by the
// tree's own dracut and configuration, where ostree looks for it.
func makeInitramfs(ctx context.Context, t *task.Task, _ struct{}) error {
	if err := copyKernels(t.Tree); err != nil {
		return err
	}
	kernels, err := layer.Glob(t.Tree, "usr/lib/modules/*/vmlinuz")
	if err != nil {
		return err
	}
	if len(kernels) == 0 {
		return errors.New("the tree has no kernel, neither at /usr/lib/modules/VERSION/vmlinuz nor in /boot; a feature must include one (base does)")
	}
	if _, err := os.Stat(filepath.Join(t.Tree, "usr/bin/dracut")); err != nil {
		return errors.New("the tree has no dracut to make an initramfs; a feature must include it (base does)")
	}
	for _, k := range kernels {
		version := filepath.Base(filepath.Dir(k))
		if err := t.InTree(ctx, "dracut", "--force", "--no-hostonly", "--reproducible", "--tmpdir", "/tmp",
			"--kver", version, "/usr/lib/modules/"+version+"/initramfs.img"); err != nil {
			return fmt.Errorf("make initramfs for %s: %w", version, err)
		}
		// It holds what any user may read in /usr, and pulls go faster for it.
		if err := os.Chmod(filepath.Join(filepath.Dir(k), "initramfs.img"), 0o644); err != nil {
			return err
		}
	}
	if err := t.Release(); err != nil {
		return err
	}
	// dracut logs there.
	return os.RemoveAll(filepath.Join(t.Tree, "var/log/dracut.log"))
}

const (
	outRepo = "--repo=" + task.ToolOut + "/repo"
	newRepo = "--repo=" + task.ToolScratch + "/new"
)

var commitAction = task.Define("ostree-commit", 5, commitTree)

// commitTree makes t.Out/repo, an archive repository with the whole history
// and the tree as its newest commit, unless the tree is the parent's.
//
// The commit is made in a bare repository first: that only reads and hashes.
// What the history does not have yet is then compressed on all cores.
func commitTree(ctx context.Context, t *task.Task, p commitParams) error {
	hints, err := task.Hints[commitHints](t)
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
	stamp := t.Epoch
	version := time.Unix(t.Epoch, 0).UTC().Format("20060102")
	var parent ostree.Parent
	if t.Sources["history"] != "" {
		if parent, err = ostree.Inherit(t.Sources["history"], out, p.Ref, p.Parent, hints.Bad); err != nil {
			return fmt.Errorf("take over the history of %s: %w", p.Ref, err)
		}
		// ostree refuses to upgrade to what is older than what runs.
		stamp = max(stamp, parent.Stamp)
		version = nextVersion(version, parent.Version)
	}
	packages, err := installed.Committed(t.Distro, t.Inputs["tree"])
	if err != nil {
		return err
	}
	if len(packages) > 0 {
		p.Metadata[packagesKey] = installed.Lines(packages)
	}
	argv := []string{"ostree", newRepo, "commit", "--branch=" + p.Ref, "--tree=dir=" + task.ToolIn + "/tree", "--subject=" + p.Subject,
		"--timestamp=@" + strconv.FormatInt(stamp, 10), "--bootable", "--no-bindings", "--add-metadata-string=version=" + version}
	if p.Parent != "" {
		argv = append(argv, "--parent="+p.Parent)
	}
	for _, key := range slices.Sorted(maps.Keys(p.Metadata)) {
		argv = append(argv, "--add-metadata-string="+key+"="+p.Metadata[key])
	}
	if err := t.Tool(ctx, argv...); err != nil {
		return err
	}
	made := ostree.At(filepath.Join(t.Scratch, "new"))
	head, err := made.Head(p.Ref)
	if err != nil {
		return err
	}
	c, err := made.Commit(head)
	if err != nil {
		return err
	}
	if len(parent.Lost) > 0 {
		if err := remake(ctx, t, out, p.Ref); err != nil {
			return fmt.Errorf("make what is damaged in the history of %s: %w", p.Ref, err)
		}
	}
	if p.Parent != "" && c.Tree == parent.Tree {
		fmt.Fprintln(t.Log, "the tree is that of the newest commit, so there is no new one")
		head = p.Parent
		if c, err = out.Commit(head); err != nil {
			return err
		}
	} else {
		if hints.Again {
			warnOfOtherBytes(t, out, made, p.Parent, parent.Tree, c.Tree)
		}
		if err := t.Tool(ctx, "ostree", outRepo, "pull-local", task.ToolScratch+"/new", p.Ref); err != nil {
			return err
		}
	}
	if len(parent.Lost) > 0 {
		if err := out.Complete(t.Sources["history"], parent.Lost); err != nil {
			return err
		}
	}
	if parent.Made != "" && head != parent.Made {
		return fmt.Errorf("commit %s of %s was made by this very step, whose result was damaged in the cache; "+
			"made again it is commit %s, as a step before gave other bytes; the next build makes it the commit after that one", parent.Made, p.Ref, head)
	}
	t.Facts["commit"], t.Facts["ref"], t.Facts["version"], t.Facts["parent"] = head, p.Ref, c.Metadata["version"], c.Parent
	if err := t.Tool(ctx, "ostree", outRepo, "summary", "--update"); err != nil {
		return err
	}
	return out.SetSummaryTime(c.Timestamp)
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
