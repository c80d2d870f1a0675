package engine

import (
	"bytes"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
)

// elsewhere is a store whose results are kept in a second place, which other
// machines have as well.
type elsewhere struct {
	Store
	mu   sync.Mutex
	kept map[string][]byte
}

// bring gets a result that is not here.
func (s *elsewhere) bring(key string) (r layer.Result, ok bool) {
	s.mu.Lock()
	packed, there := s.kept[key]
	s.mu.Unlock()
	if !there {
		return r, false
	}
	r, err := s.Unpack(bytes.NewReader(packed), key)
	return r, err == nil
}

func (s *elsewhere) Get(key string) (layer.Result, bool, error) {
	r, ok, err := s.Store.Get(key)
	if err == nil && !ok {
		r, ok = s.bring(key)
	}
	return r, ok, err
}

func (s *elsewhere) Sound(key string) (bool, string, error) {
	ok, why, err := s.Store.Sound(key)
	if err == nil && !ok {
		if _, ok = s.bring(key); ok {
			why = ""
		}
	}
	return ok, why, err
}

func (s *elsewhere) Put(d *layer.Draft, r layer.Result) (layer.Result, error) {
	r, err := s.Store.Put(d, r)
	if err != nil {
		return r, err
	}
	var packed bytes.Buffer
	if err := s.Pack(&packed, r.Key); err != nil {
		return r, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept[r.Key] = packed.Bytes()
	return r, nil
}

// TestResultsFromElsewhere: a machine with an empty store runs nothing that another
// one has made, and makes again what arrives damaged.
func TestResultsFromElsewhere(t *testing.T) {
	g := graphOf(t, plan.Step{ID: "base", Action: "a"}, plan.Step{ID: "tools", Action: "b", Output: plan.Dir},
		plan.Step{ID: "top", Action: "c", Base: "base", Inputs: map[string]string{"tools": "tools"}})
	kept := map[string][]byte{}
	run := func() (ran, cached int) {
		t.Helper()
		local := openStore(t)
		defer local.Close()
		c, r := &counter{write: true}, &recorder{}
		e := &Engine{Store: &elsewhere{Store: local, kept: kept}, Executor: c, Sink: r, Workers: 2, MemoryMiB: 100000}
		out, err := e.Run(t.Context(), g, g.Targets())
		if err != nil {
			t.Fatal(err)
		}
		if text, err := os.ReadFile(filepath.Join(local.Data(g.Key("top")), "file")); err != nil || string(text) != "top" || out.Results["top"].Key != g.Key("top") {
			t.Errorf("the result is %+v with %q, error %v", out.Results["top"], text, err)
		}
		return len(c.ran), len(r.of(event.StepCached))
	}
	if ran, cached := run(); ran != 3 || cached != 0 {
		t.Errorf("at first %d steps ran and %d results were there", ran, cached)
	}
	if ran, cached := run(); ran != 0 || cached != 1 {
		t.Errorf("with all results elsewhere %d steps ran and %d results were there", ran, cached)
	}
	kept[g.Key("top")] = bytes.Replace(kept[g.Key("top")], []byte("top"), []byte("tip"), -1)
	if ran, cached := run(); ran != 1 || cached != 2 {
		t.Errorf("with one damaged elsewhere %d steps ran and %d results were there", ran, cached)
	}
}
