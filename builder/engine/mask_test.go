package engine

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/plan"
)

// noPassword looks through all files below dirs.
func noPassword(t *testing.T, dirs ...string) {
	t.Helper()
	for _, dir := range dirs {
		for _, name := range contents(t, dir) {
			if text, err := os.ReadFile(filepath.Join(dir, name)); err != nil || strings.Contains(string(text), "secret") {
				t.Errorf("%s, error %v:\n%s", name, err, text)
			}
		}
	}
}

func TestManifestHasNoPasswords(t *testing.T) {
	store, g := cnameStore(t)
	output := OutputOf(t.TempDir(), "f")
	spec := &compose.Spec{
		Flavour:    &config.Flavour{Name: "f", Distribution: config.Distribution{Mirror: "http://user:secret@mirror/debian"}},
		Parameters: map[string]map[string]compose.Value{"repo": {"archive_url": {Any: "https://user:secret@archive"}, "hosts": {Any: []string{"http://:secret@a"}}}},
	}
	m := NewManifest(spec, &distro.Closure{}, nil, "")
	f := &Finished{Store: store, Graph: g, Outcome: &Outcome{}, Manifest: m}
	if err := f.Publish(t.Context(), output); err != nil {
		t.Fatal(err)
	}
	noPassword(t, output.Public, output.Private)
	back, err := ReadManifest(output)
	if err != nil || back.Distribution.Mirror != "http://user:***@mirror/debian" || back.Parameters["repo"]["archive_url"] != "https://user:***@archive" {
		t.Errorf("error %v, mirror %q, parameters %v", err, back.Distribution.Mirror, back.Parameters)
	}
}

// TestRootStepsKeepNoPasswords: neither a step's log nor what is kept of its
// warnings has one.
func TestRootStepsKeepNoPasswords(t *testing.T) {
	needRoot(t)
	store := openStore(t)
	params, err := json.Marshal(map[string]any{"feature": "x", "lines": []string{"root root 0644 /http://user:secret@host*"}})
	if err != nil {
		t.Fatal(err)
	}
	g := graphOf(t, plan.Step{ID: "stat", Action: "stat", Params: params})
	failed := t.TempDir()
	sink := &recorder{}
	e := &Engine{Store: store, Sink: sink, Executor: &Local{Sink: sink}, FailedLogs: failed}
	if _, err := e.Run(t.Context(), g, []string{"stat"}); err != nil {
		t.Fatal(err)
	}
	if got := warned(sink); len(got) != 1 || !strings.Contains(got[0], "user:***@host") {
		t.Errorf("warned %q", got)
	}
	noPassword(t, store.Root(), failed)
}
