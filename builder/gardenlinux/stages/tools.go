package stages

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/treewright/treewright/builder/gardenlinux/imagetool"
	"github.com/treewright/treewright/builder/sandbox"
	"github.com/treewright/treewright/builder/task"
	"github.com/treewright/treewright/builder/treefs"
)

// helperDir is where Garden Linux's scripts look for the programs of
// [imagetool].
const helperDir = task.ToolSource + "/image.d"

// scriptTool runs a program of a feature, or of ours, in the tools layer as
// the Garden Linux builder's container would: in /builder, with the helper programs on
// PATH, and /tmp on the disk, as whole images are put there.
func scriptTool(ctx context.Context, t *task.Task, argv ...string) error {
	if t.ToolsRoot == "" {
		if err := prepareScriptTools(t); err != nil {
			return err
		}
	}
	t.Announce(argv)
	env := t.Env()
	// The Garden Linux builder has none, and mksquashfs refuses one beside its own options.
	delete(env, "SOURCE_DATE_EPOCH")
	env["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:" + helperDir
	return runToEnd(ctx, t, sandbox.Command{Argv: argv, Root: t.ToolsRoot, Dir: task.ToolSource, Env: env})
}

func prepareScriptTools(t *task.Task) error {
	if err := t.PrepareTools(); err != nil {
		return err
	}
	if err := bindHelpers(t); err != nil {
		return err
	}
	if err := t.LendNetwork(t.ToolsRoot); err != nil {
		return err
	}
	for dir, mode := range map[string]os.FileMode{"tmp": 0o777 | os.ModeSticky, "build": 0o755} {
		if err := os.Mkdir(filepath.Join(t.Scratch, dir), 0o755); err != nil {
			return err
		}
		if err := os.Chmod(filepath.Join(t.Scratch, dir), mode); err != nil {
			return err
		}
	}
	if err := sandbox.Bind(filepath.Join(t.Scratch, "tmp"), t.ToolsRoot+"/tmp", false); err != nil {
		return err
	}
	return sandbox.Bind(filepath.Join(t.Scratch, "build"), t.ToolsRoot+task.ToolSource+"/.build", false)
}

// bindHelpers shows this program in the tools under the names of the helpers.
// It is copied as it runs: the file that it was started from may have been
// replaced since.
func bindHelpers(t *task.Task) error {
	dir := filepath.Join(t.Scratch, "image.d")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	program, err := os.OpenFile(filepath.Join(dir, "treewright"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	if err := errors.Join(treefs.Fill(program, "/proc/self/exe"), program.Close()); err != nil {
		return fmt.Errorf("copy this program for scripts: %w", err)
	}
	for _, p := range imagetool.Programs() {
		if err := os.Symlink("treewright", filepath.Join(dir, p.Name)); err != nil {
			return err
		}
	}
	return sandbox.Bind(dir, t.ToolsRoot+helperDir, true)
}
