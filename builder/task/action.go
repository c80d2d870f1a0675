package task

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/treewright/treewright/builder/plan"
)

// Action is a kind of step: one declaration says what steps call it, which
// version it has, and what carries it out with parameters of the type P, which
// encode as JSON. struct{} means no parameters.
type Action[P any] struct {
	name    string
	version int
	do      func(context.Context, *Task, P) error
	enter   func(*Task) error
	// recorded marks its steps; see [plan.Step].
	recorded bool
	small    bool
}

// Define declares an action. Its version is raised whenever do would give other
// bytes for the same step.
func Define[P any](name string, version int, do func(context.Context, *Task, P) error) *Action[P] {
	return &Action[P]{name: name, version: version, do: do}
}

// Entered sets what a person finds prepared who asks for a shell in the tools of
// such a step, which has no tree. Without it those are the tools alone.
func (a *Action[P]) Entered(enter func(*Task) error) *Action[P] {
	a.enter = enter
	return a
}

// Recorded returns the action, whose steps may be recorded (see [plan.Step]): what it makes depends
// on the tree only by the files that it and its programs look at by system calls; if it has no tree, on
// other steps' directories only by their content.
func (a *Action[P]) Recorded() *Action[P] {
	a.recorded = true
	return a
}

// Small marks the steps of the action as small (see [plan.Step]), and returns the action.
func (a *Action[P]) Small() *Action[P] {
	a.small = true
	return a
}

// Step completes the step s: the action carries it out, with the parameters p.
func (a *Action[P]) Step(p P, s plan.Step) plan.Step {
	s.Action, s.Version, s.Params, s.Recorded, s.Small = a.name, a.version, nil, a.recorded, a.small
	if _, none := any(p).(struct{}); !none {
		s.Params = encode(p)
	}
	return s
}

// Params returns the parameters of a step of the action.
func (a *Action[P]) Params(s *plan.Step) (p P, err error) {
	if len(s.Params) == 0 {
		return p, nil
	}
	if err := json.Unmarshal(s.Params, &p); err != nil {
		return p, fmt.Errorf("step %s: parameters: %w", s.ID, err)
	}
	return p, nil
}

// Name is what steps call the action.
func (a *Action[P]) Name() string { return a.name }

// Version returns the version of the action. Its steps have this version.
func (a *Action[P]) Version() int { return a.version }

// Do carries a task's step out.
func (a *Action[P]) Do(ctx context.Context, t *Task) error {
	p, err := a.Params(t.Step)
	if err != nil {
		return err
	}
	return a.do(ctx, t, p)
}

// Enter prepares the tools of a task whose step has no tree, for a shell.
func (a *Action[P]) Enter(t *Task) error {
	if err := t.PrepareTools(); err != nil || a.enter == nil {
		return err
	}
	return a.enter(t)
}

// Doer is an action, whatever its parameters are.
type Doer interface {
	Name() string
	Version() int
	Do(ctx context.Context, t *Task) error
	Enter(t *Task) error
}

// Actions are those that steps can name.
type Actions []Doer

// Do carries the task's step out by the action that it names.
func (as Actions) Do(ctx context.Context, t *Task) error {
	a, err := as.of(t.Step)
	if err != nil {
		return err
	}
	return a.Do(ctx, t)
}

// Has returns an error if the action of a step is missing, or has another version. Then the step is of another version of this program,
// and its result can be different.
func (as Actions) Has(s *plan.Step) error {
	a, err := as.of(s)
	if err == nil && a.Version() != s.Version {
		err = fmt.Errorf("the action %q has the version %d, and not %d", s.Action, a.Version(), s.Version)
	}
	return err
}

func (as Actions) of(s *plan.Step) (Doer, error) {
	for _, a := range as {
		if a.Name() == s.Action {
			return a, nil
		}
	}
	return nil, fmt.Errorf("step %s: no action is called %q", s.ID, s.Action)
}

// Shell runs a shell in the task's tree, set up as the step's action would find
// it; for a step that has no tree, but tools, in the tools with the step's inputs.
// What is done there is thrown away. It returns the shell's exit status.
func (as Actions) Shell(ctx context.Context, t *Task) (status int, err error) {
	t.Log = os.Stderr
	if t.Step.Base != "" {
		err = t.WithSources(func() error {
			status, err = t.shell(ctx, t.Tree)
			return err
		})
		return status, err
	}
	a, err := as.of(t.Step)
	if err != nil {
		return 0, err
	}
	if err := a.Enter(t); err != nil {
		return 0, err
	}
	return t.shell(ctx, t.ToolsRoot)
}
