package build

import (
	"context"
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
)

// known is a step of the newest plan of a flavour, for questions that must not wait until
// all is planned again, which may need root and a network.
type known struct {
	ID    string `json:"id"`
	Key   string `json:"key"`
	Title string `json:"title"`
	// Action is that of the step.
	Action string `json:"action"`
	// Tree reports whether the step makes a layer of the system or of an extension, and
	// System whether it makes one of the system's tree.
	Tree   bool `json:"tree,omitempty"`
	System bool `json:"system,omitempty"`
}

// knownPath is where the steps of a flavour's newest plan are kept, beside its
// [Builder.recordPath].
func (b *Builder) knownPath(flavour string) string {
	return strings.TrimSuffix(b.recordPath(flavour), ".json") + ".steps"
}

// noteSteps keeps the steps of a plan. It is not an error
// if they cannot be kept: then what needs them plans.
func (b *Builder) noteSteps(ctx context.Context, p *Prepared) {
	if raw, err := json.Marshal(p.steps()); err == nil {
		_ = p.Cache.WriteFile(ctx, b.knownPath(p.Subject.Flavour()), raw)
	}
}

// steps are those of the plan. Tools, and the trees in which exec.build runs, are not in
// the system.
func (p *Prepared) steps() []known {
	var steps []known
	for _, s := range p.Graph.Steps() {
		tree := s.Output == plan.Layer && s.Stage != "tools" && s.Stage != "build"
		steps = append(steps, known{s.ID, p.Graph.Key(s.ID), s.Title, s.Action, tree, tree && s.Stage == "rootfs"})
	}
	return steps
}

// knownSteps are the steps of a flavour's newest plan, none if there was no plan yet.
func (b *Builder) knownSteps(flavour string) []known {
	raw, err := os.ReadFile(b.knownPath(flavour))
	var steps []known
	if err != nil || json.Unmarshal(raw, &steps) != nil {
		return nil
	}
	return steps
}

// StepNames are the steps of a flavour as far as that is known without planning.
func (b *Builder) StepNames(flavour string) []string {
	var names []string
	for _, s := range b.knownSteps(flavour) {
		names = append(names, s.ID)
	}
	return names
}

// PathNames are the files of the system's tree of a flavour whose paths begin with a
// prefix and end in its directory, as far as the cache has the layers; those of
// directories end with a slash.
func (b *Builder) PathNames(flavour, prefix string) []string {
	dir, _ := path.Split(prefix)
	steps := b.knownSteps(flavour)
	if !strings.HasPrefix(dir, "/") || len(steps) == 0 {
		return nil
	}
	store, err := layer.Open(filepath.Join(b.options.Cache, "store"))
	if err != nil {
		return nil
	}
	defer store.Close()
	names := map[string]string{}
	for _, s := range steps {
		if s.System {
			overlay(names, store.Data(s.Key), dir)
		}
	}
	var all []string
	for name, end := range names {
		if found := dir + name + end; strings.HasPrefix(found, prefix) {
			all = append(all, found)
		}
	}
	slices.Sort(all)
	return all
}

// overlay adds what a layer has in a directory, and takes away what it removes. Each
// name is kept with what follows it: "/" for a directory. Links do not lead out of the
// layer.
func overlay(names map[string]string, data, dir string) {
	root, err := os.OpenRoot(data)
	if err != nil {
		return
	}
	defer root.Close()
	dir = path.Clean(strings.TrimPrefix(dir, "/"))
	removed := func(name string) bool {
		info, err := root.Lstat(name)
		if err != nil {
			return false
		}
		st, ok := info.Sys().(*syscall.Stat_t)
		return ok && info.Mode()&os.ModeCharDevice != 0 && st.Rdev == 0
	}
	for at := dir; at != "."; at = path.Dir(at) {
		if removed(at) {
			clear(names)
		}
	}
	opened, err := root.Open(dir)
	if err != nil {
		return
	}
	defer opened.Close()
	entries, _ := opened.ReadDir(-1) // what could be read will do
	for _, e := range entries {
		name := e.Name()
		switch {
		case strings.ContainsAny(name, "\n\r"):
		case e.IsDir():
			names[name] = "/"
		case removed(path.Join(dir, name)):
			delete(names, name)
		default:
			names[name] = ""
		}
	}
}
