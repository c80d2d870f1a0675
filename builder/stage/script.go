package stage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/sandbox"
	"github.com/treewright/treewright/builder/stage/installed"
	"github.com/treewright/treewright/builder/task"
)

var fetchAction = task.Define("fetch", 1, fetchPackages)

func fetchPackages(ctx context.Context, t *task.Task, _ struct{}) error {
	hints, err := task.Hints[distro.FetchHints](t)
	if err != nil {
		return err
	}
	index, err := os.ReadFile(filepath.Join(t.Sources["index"], "Packages"))
	if err != nil {
		return err
	}
	say := func(line string) { fmt.Fprintln(t.Log, line) }
	epoch, err := t.Distro.Fetch(ctx, index, t.Out, hints, t.Progress, say)
	t.Epoch = max(t.Epoch, epoch)
	return err
}

var bootstrapAction = task.Define("bootstrap", 1, bootstrapTree)

func bootstrapTree(ctx context.Context, t *task.Task, p bootstrapParams) error {
	return t.Distro.Bootstrap(ctx, packageWork(t), t.Step.Arch, p.Packages)
}

// packageWork is a task's tree as a family of distributions works on it.
func packageWork(t *task.Task) distro.Work {
	return distro.Work{Root: t.Tree, Repo: t.Inputs["repo"], Env: t.Env(), Log: t.Log, Warn: t.Warn}
}

var installAction = task.Define("install", 1, installPackages)

func installPackages(ctx context.Context, t *task.Task, p installParams) error {
	if err := t.PrepareTree(); err != nil {
		return err
	}
	if p.SeparateBoot {
		// No link leads from one mount to another, even on one file system.
		if err := sandbox.Bind(t.Tree+"/boot", t.Tree+"/boot", false); err != nil {
			return err
		}
	}
	restore, err := setAside(filepath.Join(t.Tree, "usr/sbin/policy-rc.d"))
	if err != nil {
		return err
	}
	if err := t.Distro.Install(ctx, packageWork(t), p.Wants, p.Expected); err != nil {
		return err
	}
	return restore()
}

// setAside renames a file that is in the way, if it is there, and returns what
// puts it back.
func setAside(file string) (restore func() error, err error) {
	aside := file + ".treewright"
	if err := os.Rename(file, aside); errors.Is(err, fs.ErrNotExist) {
		return func() error { return nil }, nil
	} else if err != nil {
		return nil, err
	}
	return func() error { return os.Rename(aside, file) }, nil
}

type scriptParams struct {
	Feature string `json:"feature"`
	Script  string `json:"script"`
}

var scriptAction = task.Define("script", 2, runScript)

// runScript runs a feature's script inside the tree. The feature's folder is
// at /builder/features/NAME while it runs.
func runScript(ctx context.Context, t *task.Task, p scriptParams) error {
	script := task.ToolSource + "/features/" + p.Feature + "/" + p.Script
	return installed.Watch(t, p.Script+" of "+p.Feature, func() error {
		return t.WithSources(func() error { return t.InTree(ctx, task.Runnable(t.Tree, script)...) })
	})
}

var postAction = task.Define("post", 2, runPost)

// runPost runs exec.post from the tools, with the tree's path.
func runPost(ctx context.Context, t *task.Task, p scriptParams) error {
	return installed.Watch(t, p.Script+" of "+p.Feature, func() error {
		return t.Tool(ctx, task.ToolSource+"/features/"+p.Feature+"/"+p.Script, task.ToolTree)
	})
}

var buildAction = task.Define("build", 2, runBuild)

// runBuild runs exec.build with the folder for what it makes, in an empty
// folder.
func runBuild(ctx context.Context, t *task.Task, p scriptParams) error {
	return t.WithSources(func() error {
		if err := sandbox.Bind(t.Out, t.Tree+"/run/treewright/out", false); err != nil {
			return err
		}
		return t.InTreeAt(ctx, "/tmp", task.ToolSource+"/features/"+p.Feature+"/"+p.Script, "/run/treewright/out")
	})
}
