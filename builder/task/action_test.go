package task

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/plan"
)

type greeting struct {
	Name string `json:"name"`
}

// TestAction: a step that an action made is carried out by it, with the parameters
// that it was made with.
func TestAction(t *testing.T) {
	said := ""
	greet := Define("greet", 7, func(_ context.Context, _ *Task, p greeting) error {
		said += "hello " + p.Name
		return nil
	})
	rest := Define("rest", 1, func(context.Context, *Task, struct{}) error { return nil })
	all := Actions{greet, rest}

	step := greet.Step(greeting{"anna"}, plan.Step{ID: "x/y", Title: "greet anna"})
	if step.ID != "x/y" || step.Title != "greet anna" || step.Action != "greet" || step.Version != 7 || string(step.Params) != `{"name":"anna"}` {
		t.Errorf("the step is %+v", step)
	}
	if err := all.Do(t.Context(), &Task{Step: &step, Log: io.Discard}); err != nil || said != "hello anna" {
		t.Errorf("it says %q, error %v", said, err)
	}
	if p, err := greet.Params(&step); err != nil || p.Name != "anna" {
		t.Errorf("its parameters are %+v, error %v", p, err)
	}
	if quiet := rest.Step(struct{}{}, step); quiet.Params != nil {
		t.Errorf("no parameters are written as %s", quiet.Params)
	}
	step.Params = json.RawMessage(`{"name":3}`)
	if err := all.Do(t.Context(), &Task{Step: &step}); err == nil || !strings.HasPrefix(err.Error(), "step x/y: parameters: ") {
		t.Errorf("with wrong parameters: %v", err)
	}
	step.Action = "sing"
	if err := all.Do(t.Context(), &Task{Step: &step}); err == nil || err.Error() != `step x/y: no action is called "sing"` {
		t.Errorf("with an action that there is not: %v", err)
	}
}
