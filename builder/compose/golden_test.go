package compose

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright"
	"github.com/treewright/treewright/builder/config"
)

var update = flag.Bool("update", false, "write the golden files again")

// golden is what a golden file shows of a Spec.
type golden struct {
	Flavour       string
	CName         string
	Features      []string
	Stages        map[string]string
	Extensions    []goldenExtension
	Parameters    map[string]map[string]Value
	Packages      []Want
	BuildPackages map[string][]Want
	Listens       []string
	Environment   map[string]string
}

type goldenExtension struct {
	Name     string
	Features []string
	Packages []Want
	Listens  []string
}

// TestGolden resolves every flavour of the project itself, so that a review
// shows what a change of a feature does to all of them.
//
//	go test ./builder/compose -run TestGolden -update
func TestGolden(t *testing.T) {
	p, diags := config.Load(treewright.Tree(), config.Options{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for _, d := range Check(p, nil) {
		t.Error(d)
	}
	if len(p.Flavours) == 0 {
		t.Fatal("the project has no flavours")
	}
	const dir = "testdata/golden"
	if *update {
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	files := map[string]bool{}
	for _, f := range p.Flavours {
		s, diags := Resolve(p, f)
		if diags.HasErrors() {
			continue // reported by Check
		}
		g := golden{
			Flavour: f.Name, CName: s.CanonicalName, Features: strings.Fields(names(s.Features)), Stages: map[string]string{},
			Parameters: s.Parameters, Packages: s.Packages, BuildPackages: s.BuildPackages, Listens: s.Listens, Environment: s.Environment(""),
		}
		for _, stage := range []string{"commit", "image"} {
			if feature := s.StageFeature(stage); feature != nil {
				g.Stages[stage] = feature.Name
			}
		}
		for _, e := range s.Extensions {
			g.Extensions = append(g.Extensions, goldenExtension{e.Name, strings.Fields(names(e.Features)), e.Packages, e.Listens})
		}
		got, err := json.MarshalIndent(g, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, '\n')
		name := filepath.Join(dir, f.Name+".json")
		files[name] = true
		if *update {
			if err := os.WriteFile(name, got, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Errorf("%v (write it with -update)", err)
		} else if !bytes.Equal(got, want) {
			t.Errorf("%s is out of date; if the change is meant, write it with -update. Now it is:\n%s", name, got)
		}
	}
	present, err := filepath.Glob(dir + "/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range present {
		if !files[name] {
			t.Errorf("%s is of no flavour", name)
		}
	}
}
