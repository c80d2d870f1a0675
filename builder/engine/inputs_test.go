package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
)

// duringStep is a Sink that does something when the step has said a word, and
// lets it go on only then.
type duringStep struct {
	recorder
	once sync.Once
	do   func()
}

func (d *duringStep) Emit(e event.Event) {
	if e.Kind == event.StepOutput && strings.HasPrefix(e.Line, "word ") {
		d.once.Do(d.do)
	}
	d.recorder.Emit(e)
}

// TestRootInputChangesDuringStep: what is done to an input while a step works
// makes it fail, and nothing is stored.
func TestRootInputChangesDuringStep(t *testing.T) {
	needRoot(t)
	for name, change := range map[string]func(result, source string) error{
		"nothing":           func(string, string) error { return nil },
		"used elsewhere":    func(result, _ string) error { now := time.Now(); return os.Chtimes(result+"/result.json", now, now) },
		"a file is written": func(result, _ string) error { return os.WriteFile(result+"/data/etc/kept", []byte("other\n"), 0o644) },
		"a mode":            func(result, _ string) error { return os.Chmod(result+"/data/etc/kept", 0o600) },
		"a directory goes":  func(result, _ string) error { return os.RemoveAll(result + "/data/replaced") },
		"moved away":        func(result, _ string) error { return os.Rename(result, result+".gone") },
		"exchanged": func(result, _ string) error {
			return errors.Join(os.Rename(result, result+".gone"), os.CopyFS(result, os.DirFS(result+".gone")))
		},
		"a file more": func(result, _ string) error { return os.WriteFile(result+"/data/etc/more", nil, 0o644) },
		"a source":    func(_, source string) error { return os.WriteFile(source+"/other", nil, 0o644) },
	} {
		t.Run(name, func(t *testing.T) {
			source := filepath.Join(t.TempDir(), "x")
			if err := os.CopyFS(source, os.DirFS(helperDir(t))); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(filepath.Join(source, "exec.config"), 0o755); err != nil {
				t.Fatal(err)
			}
			store := scriptStore(t, t.TempDir())
			g, err := scriptGraph(source, "talk", "")
			if err != nil {
				t.Fatal(err)
			}
			sink := &duringStep{do: func() {
				if err := change(filepath.Dir(store.Data(g.Key("base"))), source); err != nil {
					t.Error(err)
				}
			}}
			e := &Engine{Store: store, Sink: sink, Executor: &Local{Sink: sink}, FailedLogs: filepath.Join(rootOf(store), "failed")}
			_, err = e.Run(t.Context(), g, g.Targets())
			_, stored, _ := store.Get(g.Key(scriptID))
			if harmless := name == "nothing" || name == "used elsewhere"; harmless {
				if err != nil || !stored {
					t.Errorf("stored: %v, error %v", stored, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), "an input changed while the step ran") {
				t.Errorf("error %v", err)
			}
			if stored {
				t.Error("a result was stored")
			}
		})
	}
}

// TestPruneDuringBuilds: a process that removes results without pause makes builds
// slower, and hurts none.
func TestPruneDuringBuilds(t *testing.T) {
	root := t.TempDir()
	open := func() *layer.Store {
		s, err := layer.Open(root)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	stop := make(chan struct{})
	var pruners, builds sync.WaitGroup
	removed := 0
	pruners.Add(1)
	go func() {
		defer pruners.Done()
		s := open()
		for {
			select {
			case <-stop:
				return
			default:
			}
			keys, err := s.Keys()
			for _, key := range keys {
				gone, rerr := s.Remove(key, time.Now())
				if gone {
					removed++
				}
				err = errors.Join(err, rerr)
			}
			if _, serr := s.Sweep(); err != nil || serr != nil {
				t.Error(err, serr)
				return
			}
		}
	}()
	for n := range 2 {
		builds.Add(1)
		go func() {
			defer builds.Done()
			for version := range 8 {
				store := open()
				if err := buildChain(store, n*1000+version/2); err != nil {
					t.Errorf("build %d: %v", version, err)
				}
				store.Close()
			}
		}()
	}
	builds.Wait()
	close(stop)
	pruners.Wait()
	if removed == 0 {
		t.Error("nothing was removed, so this shows nothing")
	}
}

// buildChain builds layers on each other, of which the upper ones differ by
// version. Each step reads all that it is based on, before and after.
func buildChain(store *layer.Store, version int) error {
	g := &plan.Graph{}
	below := ""
	for n := range 10 {
		id := fmt.Sprint("step", n)
		err := g.Add(plan.Step{ID: id, Action: "a", Version: n + 1 + version*(n/5), Base: below, Output: plan.Layer})
		if err != nil {
			return err
		}
		below = id
	}
	e, c, _ := newEngine(store)
	c.write = true
	c.do = func(_ context.Context, id string) error {
		for range 20 {
			for _, in := range g.Requires(id) {
				if raw, err := os.ReadFile(filepath.Join(store.Data(g.Key(in)), "file")); err != nil || string(raw) != in {
					return fmt.Errorf("%s reads %q of %s: %w", id, raw, in, err)
				}
			}
		}
		return nil
	}
	out, err := e.Run(context.Background(), g, g.Targets())
	if err == nil && len(c.outOfStacks) > 0 {
		err = errors.New(strings.Join(c.outOfStacks, ", "))
	}
	if err == nil && len(out.Results) == 0 {
		err = errors.New("no result")
	}
	return err
}
