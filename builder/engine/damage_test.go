package engine

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
)

// damageGraph is a base, two layers on it, and three targets.
func damageGraph(t *testing.T, version int) *plan.Graph {
	return graphOf(t,
		plan.Step{ID: "base", Action: "a"},
		plan.Step{ID: "left", Action: "a", Base: "base"},
		plan.Step{ID: "right", Action: "a", Base: "base"},
		plan.Step{ID: "target", Action: "a", Version: version, Base: "left", Artifacts: []plan.Artifact{{Name: "t", Path: "file"}}},
		plan.Step{ID: "beside", Action: "a", Base: "right", Artifacts: []plan.Artifact{{Name: "b", Path: "file"}}},
	)
}

// warnings returns what was warned of besides steps.
func (r *recorder) warnings() []string {
	var lines []string
	for _, e := range r.events {
		if e.Kind == event.Warning {
			lines = append(lines, e.Line)
		}
	}
	return lines
}

// TestDamagedInput: a result that was changed is made again when a step is to
// work on it, and only then; what was made of it when it was good stays.
func TestDamagedInput(t *testing.T) {
	store := openStore(t)
	e, c, _ := newEngine(store)
	c.write = true
	g := damageGraph(t, 1)
	if _, err := e.Run(context.Background(), g, g.Targets()); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(store.Data(g.Key("base")), "file")
	if err := os.WriteFile(file, []byte("rotten"), 0o644); err != nil {
		t.Fatal(err)
	}

	// Nothing is to be done with it.
	again := func(version int) (*counter, *recorder, *plan.Graph) {
		t.Helper()
		s, err := layer.Open(rootOf(store))
		if err != nil {
			t.Fatal(err)
		}
		e, c, r := newEngine(s)
		c.write = true
		g := damageGraph(t, version)
		// As the command does, which tells how much there is to do first.
		if _, _, err := e.Missing(g, g.Targets()); err != nil {
			t.Fatal(err)
		}
		if _, err := e.Run(context.Background(), g, g.Targets()); err != nil {
			t.Fatal(err)
		}
		if len(c.outOfStacks) > 0 {
			t.Error(c.outOfStacks)
		}
		return c, r, g
	}
	c, r, _ := again(1)
	if len(c.ran) != 0 || len(r.warnings()) != 0 {
		t.Errorf("ran %v, warned of %v, though no step works on anything", c.ran, r.warnings())
	}

	c, r, _ = again(2)
	slices.Sort(c.ran)
	if fmt.Sprint(c.ran) != "[base target]" {
		t.Errorf("ran %v, want base and target", c.ran)
	}
	if w := r.warnings(); len(w) != 1 || !strings.Contains(w[0], "the result of base in the cache is damaged: "+file+" has 6 bytes, not 4") || !strings.Contains(w[0], "base is made again") {
		t.Errorf("warned of %q", w)
	}
	if raw, err := os.ReadFile(file); err != nil || string(raw) != "base" {
		t.Errorf("the file holds %q, error %v", raw, err)
	}

	c, r, _ = again(2)
	if len(c.ran) != 0 || len(r.warnings()) != 0 {
		t.Errorf("ran %v, warned of %v, after all was repaired", c.ran, r.warnings())
	}
}

// TestDamagedInputStaysDamaged: a build that fails before the result is made
// again does not make it good.
func TestDamagedInputStaysDamaged(t *testing.T) {
	store := openStore(t)
	e, c, _ := newEngine(store)
	c.write = true
	g := damageGraph(t, 1)
	if _, err := e.Run(context.Background(), g, g.Targets()); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(store.Data(g.Key("base")), "file")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s, err := layer.Open(rootOf(store))
		if err != nil {
			t.Fatal(err)
		}
		e, c, r := newEngine(s)
		c.fail = map[string]bool{"base": true}
		g := damageGraph(t, 2)
		if _, err := e.Run(context.Background(), g, g.Targets()); err == nil || fmt.Sprint(c.ran) != "[base]" {
			t.Errorf("ran %v, error %v", c.ran, err)
		}
		if w := r.warnings(); len(w) != 1 || !strings.Contains(w[0], "is damaged") {
			t.Errorf("warned of %q", w)
		}
	}
}

// TestDamagedTree: who asks for a tree mounts it.
func TestDamagedTree(t *testing.T) {
	store := openStore(t)
	e, c, _ := newEngine(store)
	c.write = true
	g := damageGraph(t, 1)
	if _, err := e.Run(context.Background(), g, g.Targets()); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(store.Data(g.Key("left")), "file")); err != nil {
		t.Fatal(err)
	}
	again, err := layer.Open(rootOf(store))
	if err != nil {
		t.Fatal(err)
	}
	e, c, r := newEngine(again)
	if _, err := e.Run(context.Background(), g, g.Stack("left")); err != nil || fmt.Sprint(c.ran) != "[left]" {
		t.Errorf("ran %v, error %v", c.ran, err)
	}
	if w := r.warnings(); len(w) != 1 {
		t.Errorf("warned of %q", w)
	}
}
