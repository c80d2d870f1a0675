package engine

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
)

// lookedTree makes the tree that the helper looks at.
func lookedTree(dir, helper string, change func(dir string) error) error {
	program, err := os.ReadFile(filepath.Join(helper, "exec.config"))
	if err != nil {
		return err
	}
	files := map[string]string{
		"second/bin/tool": string(program), "second/bin/script": "#!/second/interpreter\n", "second/interpreter": string(program), "second/root/tool": string(program),
		"first/bin/other": "",
	}
	for _, name := range []string{
		"etc/opened", "etc/statted", "etc/byproc", "etc/bytmp", "etc/relative", "etc/attributes", "real/file", "other/file", "listed/one", "unlisted/one",
		"touched/file", "linked/file", "own/dir/there",
	} {
		files[name] = name + "\n"
	}
	for name, content := range files {
		err = errors.Join(err, os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755), os.WriteFile(filepath.Join(dir, name), []byte(content), 0o755))
	}
	err = errors.Join(err, os.Symlink("real", dir+"/way"), unix.Setxattr(dir+"/etc/attributes", "user.x", []byte("1"), 0), change(dir))
	at := []unix.Timespec{{Sec: epoch}, {Sec: epoch}}
	return errors.Join(err, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, unix.UtimesNanoAt(unix.AT_FDCWD, path, at, unix.AT_SYMLINK_NOFOLLOW))
	}))
}

// lookedStep is the step of the helper on a tree that has this name.
func lookedStep(t *testing.T, helper, tree string) *plan.Graph {
	t.Helper()
	return graphOf(t, plan.Step{ID: "base", Action: "none", Env: map[string]string{"TREE": tree}}, plan.Step{
		ID: scriptID, Action: "script", Version: 1, Family: "debian", Params: []byte(`{"feature":"x","script":"exec.config"}`), Env: map[string]string{"DO": "looks"},
		Base: "base", Sources: []plan.Source{{Name: "features/x", Digest: "sha256:1", Path: helper}}, Recorded: true,
	})
}

// onTree runs it there, and reports whether it ran.
func onTree(t *testing.T, store *layer.Store, tree string, baseEpoch int64, e *Engine, change func(dir string) error) (ran bool, key string, sink *recorder) {
	t.Helper()
	helper := helperDir(t)
	g := lookedStep(t, helper, tree)
	draft, err := store.Begin(g.Key("base"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(lookedTree(draft.Data, helper, change), draft.Commit(layer.Result{Step: "base", Epoch: baseEpoch})); err != nil {
		t.Fatal(err)
	}
	sink = &recorder{}
	e.Store, e.Sink, e.Executor, e.FailedLogs = store, sink, &Local{Sink: sink}, filepath.Join(rootOf(store), "failed")
	out := run(t, e, g)
	return out.Ran[scriptID], g.Key(scriptID), sink
}

func write(name, content string) func(dir string) error {
	return func(dir string) error {
		file := filepath.Join(dir, name)
		return errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(content), 0o755))
	}
}

func chmod(name string, mode fs.FileMode) func(dir string) error {
	return func(dir string) error { return os.Chmod(filepath.Join(dir, name), mode) }
}

func same(string) error { return nil }

// TestRootWhatAStepLookedAt: what changes one thing that a step looked at has it run again, and
// else it has the result of its first run.
func TestRootWhatAStepLookedAt(t *testing.T) {
	needRoot(t)
	store := openStore(t)
	defer store.Close()
	ran, first, _ := onTree(t, store, "first", epoch, &Engine{}, same)
	if looks, err := store.Looks(kindOfStep(t)); !ran || err != nil || len(looks) != 1 {
		t.Fatalf("ran %v, looks %v, error %v: is seccomp's notification allowed here?", ran, looks, err)
	}
	// Those that do not run come first, as only a few runs are kept.
	for _, c := range []struct {
		name   string
		change func(dir string) error
		runs   bool
	}{
		{"nothing", same, false},
		{"a file in an unlisted directory", write("unlisted/two", "new"), false},
		{"content that was not read", write("unlisted/one", "else"), false},
		{"content of what was only asked", write("etc/statted", "etc/STATTED\n"), false},
		{"a file beside what was opened", write("etc/new", "new"), false},
		{"content of an opened file", write("etc/opened", "etc/OPENED\n"), true},
		{"content by /proc", write("etc/byproc", "etc/BYPROC\n"), true},
		{"content by a link of its own", write("etc/bytmp", "etc/BYTMP\n"), true},
		{"content by a descriptor", write("etc/relative", "etc/RELATIVE\n"), true},
		{"size", write("etc/statted", "longer content"), true},
		{"mode", chmod("etc/statted", 0o600), true},
		{"an absent file", write("etc/absent", "there"), true},
		{"an absent directory", write("none/below", "there"), true},
		{"an entry of a listed directory", write("listed/two", ""), true},
		{"a program that is found earlier", write("first/bin/tool", "#!/second/interpreter\n"), true},
		{"a program", write("second/bin/tool", "#!/second/interpreter\n"), true},
		{"an interpreter", write("second/interpreter", "#!/second/bin/tool\n"), true},
		{"a program in a root of its own", func(dir string) error { return grow(dir + "/second/root/tool") }, true},
		{"the mode of a directory", chmod("own/dir", 0o700), true},
		{"the mode of a directory above", chmod("own", 0o700), true},
		{"a file that it changed", write("touched/file", "touched/FILE\n"), true},
		{"a file that it linked", write("linked/file", "linked/FILE\n"), true},
		{"an entry in a directory of its", write("own/dir/more", ""), true},
		{"a file in the place of its own", write("own/dir/seen", "old"), true},
		{"a link on the way", relink("way", "other"), true},
		{"a directory in a link's place", func(dir string) error {
			return errors.Join(os.Remove(dir+"/way"), write("way/file", "real/file\n")(dir))
		}, true},
		{"a link in a directory's place", func(dir string) error {
			return errors.Join(os.Rename(dir+"/listed", dir+"/lists"), os.Symlink("lists", dir+"/listed"))
		}, true},
		{"an extended attribute", func(dir string) error { return unix.Setxattr(dir+"/etc/attributes", "user.x", []byte("2"), 0) }, true},
		{"a directory that it did not find", func(dir string) error { return os.Mkdir(dir+"/first/bin/tool", 0o755) }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			ran, key, sink := onTree(t, store, c.name, epoch, &Engine{}, c.change)
			if ran != c.runs {
				t.Fatalf("it ran: %v, want %v; %v", ran, c.runs, sink.lines(event.StepOutput))
			}
			if as := sink.lastOf(event.StepFinished).AsBefore; as != !ran {
				t.Errorf("it is shown as before: %v", as)
			}
			if ran {
				if !slices.ContainsFunc(sink.lines(event.StepOutput), func(l string) bool { return strings.HasPrefix(l, "it runs because this is not as it was") }) {
					t.Error("the reason is not shown")
				}
				if log, err := store.Log(key); err != nil || !strings.Contains(string(log), "it runs because this is not as it was") {
					t.Errorf("the reason is not in the log, error %v:\n%s", err, log)
				}
				return
			}
			// What it would have made is the same, so it is worth something.
			again := openStore(t)
			defer again.Close()
			if ran, _, _ := onTree(t, again, c.name, epoch, &Engine{NoShortcuts: true}, c.change); !ran {
				t.Error("without shortcuts it did not run")
			}
			if differs, err := store.Differences(again, key); err != nil || len(differs) > 0 {
				t.Errorf("the result is not what it is without shortcuts: %+v, error %v", differs, err)
			}
			if err := errors.Join(store.Verify(key), store.Verify(first)); err != nil {
				t.Error(err)
			}
		})
	}
}

func relink(link, to string) func(dir string) error {
	return func(dir string) error {
		return errors.Join(os.Remove(filepath.Join(dir, link)), os.Symlink(to, filepath.Join(dir, link)))
	}
}

func grow(file string) error {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString("more")
	return errors.Join(err, f.Close())
}

func kindOfStep(t *testing.T) string {
	g := lookedStep(t, helperDir(t), "any")
	kind, err := kindOf(g, g.Step(scriptID))
	if err != nil {
		t.Fatal(err)
	}
	return kind
}

func (r *recorder) lines(kind event.Kind) (lines []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		if e.Kind == kind {
			lines = append(lines, e.Line)
		}
	}
	return lines
}

func (r *recorder) lastOf(kind event.Kind) (last event.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		if e.Kind == kind {
			last = e
		}
	}
	return last
}

// TestRootLooksThatDoNotServe: another epoch, a damaged result, a torn record, a result that is
// gone, and shortcuts that are off have a step run.
func TestRootLooksThatDoNotServe(t *testing.T) {
	needRoot(t)
	for name, c := range map[string]struct {
		spoil func(t *testing.T, store *layer.Store, dir string) error
		epoch int64
		off   bool
	}{
		"another epoch":     {epoch: epoch + 1},
		"shortcuts are off": {off: true},
		"a damaged result": {spoil: func(_ *testing.T, _ *layer.Store, dir string) error {
			return os.WriteFile(dir+"/data/own/dir/seen", []byte("else"), 0o644)
		}},
		"a torn record": {spoil: func(_ *testing.T, _ *layer.Store, dir string) error { return os.Truncate(dir+"/looks", 100) }},
		"no result": {spoil: func(t *testing.T, store *layer.Store, dir string) error {
			store.LetGo(filepath.Base(dir))
			gone, err := store.Remove(filepath.Base(dir), time.Now().Add(time.Hour))
			if !gone {
				t.Error("the result cannot be removed")
			}
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			store := openStore(t)
			defer store.Close()
			_, first, _ := onTree(t, store, "first", epoch, &Engine{}, same)
			if c.spoil != nil {
				if err := c.spoil(t, store, filepath.Dir(store.Data(first))); err != nil {
					t.Fatal(err)
				}
			}
			fresh, err := layer.Open(rootOf(store)) // which believes nothing
			if err != nil {
				t.Fatal(err)
			}
			defer fresh.Close()
			if ran, _, _ := onTree(t, fresh, "second", max(c.epoch, epoch), &Engine{NoShortcuts: c.off}, same); !ran {
				t.Error("it did not run")
			}
		})
	}
}

// TestLooksOfOtherSteps: a step with what cannot be seen is not recorded.
func TestLooksOfOtherSteps(t *testing.T) {
	plain := plan.Step{Recorded: true, Base: "base", Output: plan.Layer}
	if !(&Engine{}).recorded(&plain) {
		t.Error("a step with a tree alone is not recorded")
	}
	for name, change := range map[string]func(s *plan.Step){
		"unmarked": func(s *plan.Step) { s.Recorded = false },
		"no tree":  func(s *plan.Step) { s.Base = "" },
		"tools":    func(s *plan.Step) { s.Tools = "tools" },
		"secrets":  func(s *plan.Step) { s.Secrets = []plan.Secret{{Name: "token"}} },
		"network":  func(s *plan.Step) { s.Network = true },
		"no layer": func(s *plan.Step) { s.Output = plan.Dir },
	} {
		s := plain
		if change(&s); (&Engine{}).recorded(&s) {
			t.Errorf("%s: it is recorded", name)
		}
	}
}
