package engine

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/secret"
)

// noPassword looks through all files below dirs.
func noPassword(t *testing.T, dirs ...string) {
	t.Helper()
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			if text, err := os.ReadFile(path); err != nil || strings.Contains(string(text), "secret") {
				t.Errorf("%s, error %v:\n%s", path, err, text)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
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
	noPassword(t, rootOf(store), failed)
}

// TestEventsOfStepsHaveNoSecrets: events of a step's process are emitted as those of the step,
// without secrets, and only if they are of kinds that are known.
func TestEventsOfStepsHaveNoSecrets(t *testing.T) {
	sink := &recorder{}
	l, words := &Local{Sink: sink}, secret.Find(map[string][]byte{"token": []byte(token)})
	for _, e := range []event.Event{
		{Kind: event.Command, Step: "other", Argv: []string{"curl", "-H", "Auth: " + token, "http://user:secret@host"}, Error: "no " + token, Status: 3, Usage: &event.Usage{Peak: 1}},
		{Kind: event.Part, Title: "part " + token},
		{Kind: event.StepFinished},
	} {
		l.hear("a", &e, words)
	}
	want := []event.Event{
		{Kind: event.Command, Step: "a", Argv: []string{"curl", "-H", "Auth: ***", "http://user:***@host"}, Error: "no ***", Status: 3, Usage: &event.Usage{Peak: 1}},
		{Kind: event.Part, Step: "a", Title: "part ***"},
	}
	if !reflect.DeepEqual(sink.events, want) {
		t.Errorf("emitted %+v", sink.events)
	}
}
