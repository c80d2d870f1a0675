package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/distro/debian"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/stage"
	"github.com/treewright/treewright/builder/treetest"
)

// TestMain lets the test binary be the process that carries out a step, as the
// real program is, and a whole build that a test can kill.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		var err error
		switch os.Args[1] {
		case ExecVerb:
			err = StepExec(context.Background(), append(slices.Clone(stage.Actions), complain), distro.Families{debian.Family{}}, os.NewFile(3, "request"), os.NewFile(4, "reply"))
		case "build-for-test":
			err = buildForTest(os.Args[2:])
		default:
			os.Exit(runTests(m))
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	defer func() { os.RemoveAll(helperTmp) }()
	return m.Run()
}

// buildForTest runs the step that does DO, in a store with a base.
func buildForTest(args []string) error {
	dir, helper, do, mark := args[0], args[1], args[2], args[3]
	store, err := layer.Open(dir)
	if err != nil {
		return err
	}
	g, err := scriptGraph(helper, do, mark)
	if err != nil {
		return err
	}
	sink, err := event.Choose("plain", os.Stdout, event.Options{Verbose: true})
	if err != nil {
		return err
	}
	e := &Engine{Store: store, Sink: sink, Executor: &Local{Sink: sink}, FailedLogs: filepath.Join(dir, "failed")}
	_, err = e.Run(context.Background(), g, g.Targets())
	return errors.Join(err, sink.Close())
}

// needRoot skips tests that mount if the user is not root.
func needRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		treetest.Skip(t, "needs root: it mounts overlays and makes namespaces; run it as CI does, sudo make test")
	}
}

// helperDir is a feature's directory with the helper as its exec.config.
func helperDir(t testing.TB) string {
	t.Helper()
	dir, err := buildHelper()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// scriptGraph is a base and a script step on it that does something.
func scriptGraph(helper, do, mark string) (*plan.Graph, error) {
	params, err := json.Marshal(map[string]string{"feature": "x", "script": "exec.config"})
	if err != nil {
		return nil, err
	}
	g := &plan.Graph{}
	return g, errors.Join(
		g.Add(plan.Step{ID: "base", Action: "none", Output: plan.Layer}),
		g.Add(plan.Step{
			ID: "rootfs/exec.config/x", Action: "script", Version: 1, Family: "debian", Params: params, Env: map[string]string{"DO": do, "MARK": mark},
			Base: "base", Sources: []plan.Source{{Name: "features/x", Digest: "sha256:1", Path: helper}}, Output: plan.Layer,
		}))
}

// scriptStore opens a store in dir that has the base already.
func scriptStore(t testing.TB, dir string) *layer.Store {
	t.Helper()
	store, err := layer.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	g, err := scriptGraph("", "", "")
	if err != nil {
		t.Fatal(err)
	}
	draft, err := store.Begin(g.Key("base"))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(epoch, 0)
	for _, name := range []string{"etc/kept", "etc/changed", "etc/removed", "replaced/a", "replaced/b"} {
		file := filepath.Join(draft.Data, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(name+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, p := range []string{file, filepath.Dir(file)} {
			if err := os.Chtimes(p, at, at); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := draft.Commit(layer.Result{Step: "base", Epoch: epoch}); err != nil {
		t.Fatal(err)
	}
	return store
}

// runScript runs the helper in a store of its own.
func runScript(t *testing.T, ctx context.Context, store *layer.Store, do string) (*plan.Graph, *Outcome, *recorder, error) {
	t.Helper()
	g, err := scriptGraph(helperDir(t), do, "")
	if err != nil {
		t.Fatal(err)
	}
	sink := &recorder{}
	e := &Engine{Store: store, Sink: sink, Executor: &Local{Sink: sink}, FailedLogs: filepath.Join(rootOf(store), "failed")}
	out, err := e.Run(ctx, g, g.Targets())
	return g, out, sink, err
}
