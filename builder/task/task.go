package task

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/sandbox"
)

// Task is a step as its action sees it: mounted, inside the step's own
// namespaces. All paths are absolute and are outside any chroot.
type Task struct {
	Step *plan.Step
	// Distro is the family of distributions that the step is of.
	Distro distro.Distro
	// Tree is the merged tree of the step's base. A Layer step's changes to it
	// are kept; a Dir step may change it too, for itself alone. A step without
	// a base that leaves a layer finds an empty directory.
	Tree string
	// Out is where a Dir step puts its output.
	Out string
	// Inputs are the other steps' results: directories, or merged trees, read-only.
	Inputs map[string]string
	// Layers are, for inputs that are trees, what they are mounted from, the
	// lowest first.
	Layers map[string][]Layer
	// Sources are the step's sources by name.
	Sources map[string]string
	// Secrets are what is in those of the step, by name.
	Secrets map[string][]byte
	// Scratch is an empty directory on the disk for temporary files.
	Scratch string
	// Unneeded is a directory in it that the action does not need any longer: it is removed while
	// checksums of the artifacts are computed.
	Unneeded string
	// Epoch is the time that what is made claims to be from, in seconds since
	// 1970: the newest of the inputs'. An action may raise it.
	Epoch int64
	// Facts are small named values that the action found out.
	Facts map[string]string
	// Warnings are what [Task.Warn] was told.
	Warnings []string
	// Log takes what people may want to read.
	Log io.Writer
	// Progress reports bytes done of a total. Counted reports the same in another
	// unit, such as "files"; nil if nobody wants to know.
	Progress func(done, total int64)
	Counted  func(done, total int64, unit string)

	// MachineClock lets programs see the machine's clock even if that of steps is moved, for
	// those that copy the libraries that they find themselves linked with.
	MachineClock bool

	// ToolStack holds the layers of the step's tools, the lowest first.
	ToolStack []string
	// ToolsRoot is the root of the tools, "" until [Task.PrepareTools] made it.
	ToolsRoot string

	prepared bool
	// bashEnv is the file that bash reads before a script, "" for none.
	bashEnv string
}

// Layer is one layer of a tree: the directory it is in, and the step that left
// it.
type Layer struct{ Step, Dir string }

// Warn tells the user that something they asked for is not as they may think.
// The text is one line; it goes into the step's log, and is shown when the step
// ends and in each later build that reuses its result.
func (t *Task) Warn(format string, args ...any) {
	// A carriage return would hide what stands before it.
	text := event.CleanLine(strings.NewReplacer("\r", " ", "\n", " ").Replace(fmt.Sprintf(format, args...)))
	if slices.Contains(t.Warnings, text) {
		return
	}
	t.Warnings = append(t.Warnings, text)
	fmt.Fprintf(t.Log, "warning: %s\n", text)
}

// Env returns the environment for programs: the step's, the epoch, and what makes an
// emulator fast if the programs of the step's architecture are emulated.
func (t *Task) Env() map[string]string {
	env := map[string]string{
		"HOME":              "/root",
		"LC_ALL":            "C.UTF-8",
		"SOURCE_DATE_EPOCH": strconv.FormatInt(t.Epoch, 10),
	}
	maps.Copy(env, sandbox.EmulatorEnv(t.Step.Arch))
	maps.Copy(env, t.Step.Env)
	if t.bashEnv != "" {
		env["BASH_ENV"] = t.bashEnv
	}
	return env
}

// InTree runs a program in the tree, as its root.
func (t *Task) InTree(ctx context.Context, argv ...string) error {
	return t.InTreeAt(ctx, "/", argv...)
}

// InTreeAt is [Task.InTree] with a working directory.
func (t *Task) InTreeAt(ctx context.Context, dir string, argv ...string) error {
	if err := t.PrepareTree(); err != nil {
		return err
	}
	return t.run(ctx, t.Tree, dir, argv)
}

// PrepareTree mounts /proc, /dev and so on in the tree. [Task.Release] undoes it.
func (t *Task) PrepareTree() error {
	if t.prepared {
		return nil
	}
	t.prepared = true
	return sandbox.PrepareRoot(t.Tree)
}

// Release unmounts everything in the tree.
func (t *Task) Release() error {
	t.prepared = false
	return sandbox.ReleaseRoot(t.Tree)
}

// Where tools find things: the directories of a [Task] as programs run by
// [Task.Tool] see them.
const (
	ToolTree    = "/treewright/tree"
	ToolOut     = "/treewright/out"
	ToolIn      = "/treewright/in" // one directory an input below
	ToolScratch = "/treewright/scratch"
	ToolSource  = "/builder" // one directory a source below, as Garden Linux has it
)

// Tool runs a program of the tools layer. It finds the step's directories under
// the Tool* names.
func (t *Task) Tool(ctx context.Context, argv ...string) error {
	if err := t.PrepareTools(); err != nil {
		return err
	}
	return t.run(ctx, t.ToolsRoot, "/", argv)
}

// Announce logs a command, long arguments shortened.
func (t *Task) Announce(argv []string) {
	short := make([]string, len(argv))
	for i, a := range argv {
		if short[i] = a; len(a) > 200 {
			short[i] = a[:200] + "..."
		}
	}
	fmt.Fprintf(t.Log, "+ %s\n", strings.ReplaceAll(sandbox.Command{Argv: short}.String(), "\n", " "))
}

func (t *Task) run(ctx context.Context, root, dir string, argv []string) error {
	t.Announce(argv)
	return sandbox.Command{Argv: argv, Root: root, Dir: dir, Env: t.Env(), Stdout: t.Log, Stderr: t.Log, MachineClock: t.MachineClock}.Run(ctx)
}

// PrepareTools makes ToolsRoot, where programs find the step's directories under the
// Tool* names.
func (t *Task) PrepareTools() error {
	if t.ToolsRoot != "" {
		return nil
	}
	if len(t.ToolStack) == 0 {
		return fmt.Errorf("step %s: runs tools but names no tools layer", t.Step.ID)
	}
	// Tools write below /tmp, /run and their mount points only; what they
	// write elsewhere is thrown away with the tmpfs.
	dir := filepath.Join(filepath.Dir(t.Scratch), "tools")
	for _, sub := range []string{"root", "tmp"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return fmt.Errorf("mount tools: %w", err)
		}
	}
	tmp, root := filepath.Join(dir, "tmp"), filepath.Join(dir, "root")
	if err := sandbox.MountTmpfs(tmp, "0755"); err != nil {
		return err
	}
	for _, sub := range []string{"upper", "work"} {
		if err := os.Mkdir(filepath.Join(tmp, sub), 0o755); err != nil {
			return fmt.Errorf("mount tools: %w", err)
		}
	}
	if err := layer.Mount(root, t.ToolStack, filepath.Join(tmp, "upper"), filepath.Join(tmp, "work")); err != nil {
		return err
	}
	if err := sandbox.PrepareRoot(root); err != nil {
		return err
	}
	binds := map[string]string{ToolScratch: t.Scratch}
	if t.Tree != "" {
		binds[ToolTree] = t.Tree
	}
	if t.Out != "" {
		binds[ToolOut] = t.Out
	}
	for name, path := range t.Inputs {
		binds[ToolIn+"/"+name] = path
	}
	for name, path := range t.Sources {
		binds[ToolSource+"/"+name] = path
	}
	for inside, path := range binds {
		readonly := inside != ToolScratch && inside != ToolTree && inside != ToolOut
		if err := sandbox.Bind(path, root+inside, readonly); err != nil {
			return err
		}
	}
	if err := t.lendSecrets(root); err != nil {
		return err
	}
	t.ToolsRoot = root
	return nil
}
