package engine

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/plan"
)

// TestRootFaultThatAStepFinds: what a step's process finds to be wrong with the
// configuration comes out of it with its place.
func TestRootFaultThatAStepFinds(t *testing.T) {
	needRoot(t)
	at := hcl.Range{Filename: "flavours/own.hcl", Start: hcl.Pos{Line: 7, Column: 3, Byte: 80}, End: hcl.Pos{Line: 7, Column: 9, Byte: 86}}
	hints, err := json.Marshal(map[string]any{"places": map[string]hcl.Range{"timezone": at}})
	if err != nil {
		t.Fatal(err)
	}
	g := graphOf(t, plan.Step{ID: "settings", Action: "content-settings", Params: json.RawMessage(`{"timezone":"Europe/Berln"}`), Hints: hints})
	sink := &recorder{}
	e := &Engine{Store: openStore(t), Sink: sink, Executor: &Local{Sink: sink}, FailedLogs: t.TempDir()}
	_, err = e.Run(t.Context(), g, []string{"settings"})
	var failed *StepError
	if !errors.As(err, &failed) || failed.Fault == nil {
		t.Fatalf("the error has no fault: %v", err)
	}
	d := failed.Fault.List[0]
	if *d.Subject != at || d.Summary != "Missing package" || d.Detail != "The tree has no time zones. The package tzdata is missing." {
		t.Errorf("the fault is %+v at %v", d, d.Subject)
	}
}
