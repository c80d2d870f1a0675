package stage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/treewright/treewright/builder/distro/debian"
	"github.com/treewright/treewright/builder/sandbox"
)

func fetchAction(ctx context.Context, t *Task) error {
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

func bootstrapAction(ctx context.Context, t *Task) error {
	p, err := params[bootstrapParams](t)
	if err != nil {
		return err
	}
	return debian.Bootstrap(ctx, t.Tree, t.Inputs["repo"], p.Packages, t.Step.Arch, t.Env(), t.Log)
}

func installAction(ctx context.Context, t *Task) error {
	p, err := params[installParams](t)
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
func scriptAction(ctx context.Context, t *Task) error {
	p, err := params[scriptParams](t)
	if err != nil {
		return err
	}
	script := ToolSource + "/features/" + p.Feature + "/" + p.Script
	if !p.Lasting {
		return t.watchPackages(p.Script+" of "+p.Feature, func() error {
			return t.withBuilder(func() error { return t.InTree(ctx, runnable(t.Tree, script)...) })
		})
	}
	if err := t.prepareLasting(); err != nil {
		return err
	}
	return t.withBuilder(func() error {
		argv := runnable(t.Tree, script)
		t.announce(argv)
		return t.heard(ctx, sandbox.Command{Argv: argv, Root: t.Tree, Env: t.Env()})
	})
}

// prepareLasting is [Task.PrepareTree] that leaves the tree's own /tmp and /run
// in place. They are bound elsewhere before anything is mounted on them.
func (t *Task) prepareLasting() error {
	names := []string{"tmp"}
	if !t.Step.Network {
		// Else there is this machine's apt policy, perhaps with a password.
		names = append(names, "run")
	}
	own := filepath.Join(filepath.Dir(t.Scratch), "own")
	for _, name := range names {
		if err := sandbox.Bind(filepath.Join(t.Tree, name), filepath.Join(own, name), false); err != nil {
			return err
		}
	}
	if err := t.PrepareTree(); err != nil {
		return err
	}
	for _, name := range names {
		if err := sandbox.Bind(filepath.Join(own, name), filepath.Join(t.Tree, name), false); err != nil {
			return err
		}
	}
	return nil
}

// lingering is how long programs that a script left behind may go on.
const lingering = 10 * time.Minute

// heard runs a script and waits until nobody holds its output any more. Scripts
// leave work to programs in the background (bash does not wait for those of
// ">(...)"), and the reference, which reads from a pipe, waits for them.
func (t *Task) heard(ctx context.Context, cmd sandbox.Command) error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() {
		_, err := io.Copy(t.Log, r)
		ended <- err
	}()
	cmd.Stdout, cmd.Stderr = w, w
	cmd.Background = func() {
		w.Close()
		select {
		case err := <-ended:
			ended <- err
		case <-ctx.Done():
		case <-time.After(lingering):
			t.Warn("%s left programs running, which are ended now", cmd.Argv[0])
		}
	}
	err = cmd.Run(ctx)
	w.Close() // it may be closed already
	return errors.Join(err, <-ended, r.Close())
}

// runnable returns how to run a script inside a root. One that does not say
// what it is written in is one for bash: the Garden Linux builder starts all of
// them from bash, which reads those itself.
func runnable(root, script string, args ...string) []string {
	argv := append([]string{script}, args...)
	f, err := os.Open(root + script)
	if err != nil {
		return argv // running it says what is the matter
	}
	defer f.Close()
	head := make([]byte, 4)
	if n, _ := io.ReadFull(f, head); n == 0 || strings.HasPrefix(string(head[:n]), "#!") || string(head[:n]) == "\x7fELF" {
		return argv
	}
	return append([]string{"bash"}, argv...)
}

// withBuilder shows the step's sources below /builder in the tree while do runs.
func (t *Task) withBuilder(do func() error) (err error) {
	if err := t.PrepareTree(); err != nil {
		return err
	}
	builder := t.Tree + ToolSource
	if err := os.Mkdir(builder, 0o755); err != nil {
		return fmt.Errorf("the tree has a /builder of its own: %w", err)
	}
	if err := sandbox.MountTmpfs(builder, "0755"); err != nil {
		return err
	}
	for _, src := range t.Step.Sources {
		if err := sandbox.Bind(t.Sources[src.Name], filepath.Join(builder, src.Name), true); err != nil {
			return err
		}
	}
	if err := t.lendNetwork(t.Tree); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	if err := t.Release(); err != nil {
		return err
	}
	return os.Remove(builder)
}

// postAction runs exec.post from the tools, with the tree's path.
func postAction(ctx context.Context, t *Task) error {
	p, err := params[scriptParams](t)
	if err != nil {
		return err
	}
	return t.watchPackages(p.Script+" of "+p.Feature, func() error {
		return t.Tool(ctx, ToolSource+"/features/"+p.Feature+"/"+p.Script, ToolTree)
	})
}

// buildAction runs exec.build with the folder for what it makes, in an empty
// folder.
func buildAction(ctx context.Context, t *Task) error {
	p, err := params[scriptParams](t)
	if err != nil {
		return err
	}
	return t.withBuilder(func() error {
		if err := sandbox.Bind(t.Out, t.Tree+"/run/treewright/out", false); err != nil {
			return err
		}
		return t.inTreeAt(ctx, "/tmp", ToolSource+"/features/"+p.Feature+"/"+p.Script, "/run/treewright/out")
	})
}

// Interactive runs a shell in the task's tree, set up as the step's action
// would find it; for a step that has no tree, but tools, in the tools with the
// step's inputs. What is done there is thrown away.
func Interactive(ctx context.Context, t *Task, toolStack []string) error {
	t.Log, t.toolStack = os.Stderr, toolStack
	if t.Step.Base != "" {
		return t.withBuilder(func() error { return t.shell(ctx, t.Tree) })
	}
	if err := t.prepareScriptTools(); err != nil {
		return err
	}
	return t.shell(ctx, t.tools)
}

func (t *Task) shell(ctx context.Context, root string) error {
	env := t.Env()
	env["TERM"] = os.Getenv("TERM")
	env["PS1"] = "treewright " + t.Step.ID + " \\w # "
	cmd := sandbox.Command{Root: root, Env: env, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Argv: []string{"/bin/bash", "--norc"}}
	if _, err := os.Stat(filepath.Join(root, "bin/bash")); err != nil {
		cmd.Argv = []string{"/bin/sh"}
	}
	// How the person leaves the shell is no fault of the step's.
	var exit *sandbox.ExitError
	if err := cmd.Run(ctx); err != nil && !errors.As(err, &exit) {
		return err
	}
	return nil
}
