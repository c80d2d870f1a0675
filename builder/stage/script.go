package stage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/treewright/treewright/builder/distro/debian"
	"github.com/treewright/treewright/builder/sandbox"
	"github.com/treewright/treewright/builder/task"
)

func fetchAction(ctx context.Context, t *task.Task) error {
	var hints debian.FetchHints
	if err := json.Unmarshal(t.Step.Hints, &hints); err != nil {
		return fmt.Errorf("step %s: hints: %w", t.Step.ID, err)
	}
	index, err := os.ReadFile(filepath.Join(t.Sources["index"], "Packages"))
	if err != nil {
		return err
	}
	say := func(line string) { fmt.Fprintln(t.Log, line) }
	epoch, err := debian.Fetch(ctx, index, t.Out, hints, t.Progress, say)
	t.Epoch = max(t.Epoch, epoch)
	return err
}

func bootstrapAction(ctx context.Context, t *task.Task) error {
	p, err := task.Params[bootstrapParams](t)
	if err != nil {
		return err
	}
	return debian.Bootstrap(ctx, t.Tree, t.Inputs["repo"], p.Packages, t.Step.Arch, t.Env(), t.Log)
}

func installAction(ctx context.Context, t *task.Task) error {
	p, err := task.Params[installParams](t)
	if err != nil {
		return err
	}
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
	if err := debian.Install(ctx, t.Tree, t.Inputs["repo"], p.Wants, p.Expected, t.Env(), t.Log, t.Warn); err != nil {
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
	// Lasting says that the script finds in /tmp and /run what earlier steps left
	// there, and that programs it leaves in the background are waited for: as in
	// the reference, which has one tree for all and reads what they write.
	Lasting bool `json:"lasting,omitempty"`
}

// scriptAction runs a feature's script inside the tree. The feature's folder is
// at /builder/features/NAME while it runs.
func scriptAction(ctx context.Context, t *task.Task) error {
	p, err := task.Params[scriptParams](t)
	if err != nil {
		return err
	}
	script := task.ToolSource + "/features/" + p.Feature + "/" + p.Script
	if !p.Lasting {
		return watchPackages(t, p.Script+" of "+p.Feature, func() error {
			return t.WithSources(func() error { return t.InTree(ctx, task.Runnable(t.Tree, script)...) })
		})
	}
	if err := t.PrepareLasting(); err != nil {
		return err
	}
	return t.WithSources(func() error {
		argv := task.Runnable(t.Tree, script)
		t.Announce(argv)
		return t.RunToEnd(ctx, sandbox.Command{Argv: argv, Root: t.Tree, Env: t.Env()})
	})
}

// postAction runs exec.post from the tools, with the tree's path.
func postAction(ctx context.Context, t *task.Task) error {
	p, err := task.Params[scriptParams](t)
	if err != nil {
		return err
	}
	return watchPackages(t, p.Script+" of "+p.Feature, func() error {
		return t.Tool(ctx, task.ToolSource+"/features/"+p.Feature+"/"+p.Script, task.ToolTree)
	})
}

// buildAction runs exec.build with the folder for what it makes, in an empty
// folder.
func buildAction(ctx context.Context, t *task.Task) error {
	p, err := task.Params[scriptParams](t)
	if err != nil {
		return err
	}
	return t.WithSources(func() error {
		if err := sandbox.Bind(t.Out, t.Tree+"/run/treewright/out", false); err != nil {
			return err
		}
		return t.InTreeAt(ctx, "/tmp", task.ToolSource+"/features/"+p.Feature+"/"+p.Script, "/run/treewright/out")
	})
}

// Interactive runs a shell in the task's tree, set up as the step's action
// would find it; for a step that has no tree, but tools, in the tools with the
// step's inputs. What is done there is thrown away.
func Interactive(ctx context.Context, t *task.Task) error {
	t.Log = os.Stderr
	if t.Step.Base != "" {
		return t.WithSources(func() error { return t.Shell(ctx, t.Tree) })
	}
	if err := prepareScriptTools(t); err != nil {
		return err
	}
	return t.Shell(ctx, t.ToolsRoot)
}
