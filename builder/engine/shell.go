package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/sandbox"
)

// hasShell reports whether a step has anything to look into: a tree, or tools.
func hasShell(s *plan.Step) bool { return s.Base != "" || s.Tools != "" }

// Shell opens a shell on the terminal, in the tree as a step finds it before
// its action runs, with the step's environment and sources, or in its tools
// if it has no tree. The results that the step requires must be in the store. What is done in the shell is thrown
// away. The step's secrets are there, too. A shell that is left with another exit status
// than 0 gives a *[diag.Ended].
func Shell(ctx context.Context, store Store, g *plan.Graph, id string, secrets map[string][]byte) error {
	step := g.Step(id)
	if !hasShell(step) {
		return fmt.Errorf("step %s has no tree, so no shell can be opened in it", id)
	}
	draft, err := store.Begin(g.Key(id))
	if err != nil {
		return err
	}
	defer draft.Abort()
	request, err := describe(store, g, id, draft, secrets)
	if err != nil {
		return err
	}
	request.Shell = true
	pipes, err := newPipes()
	if err != nil {
		return err
	}
	defer pipes.closeOwnEnds()
	go func() {
		_ = json.NewEncoder(pipes.request.w).Encode(request)
		pipes.request.w.Close()
	}()
	answer := make(chan Reply, 1)
	go func() {
		var r Reply
		if json.NewDecoder(pipes.reply.r).Decode(&r) != nil {
			r.Error = "the shell's process ended without a report"
		}
		answer <- r
	}()
	err = sandbox.Child{
		Args: []string{ExecVerb}, Network: step.Network, Interactive: true,
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Files: []*os.File{pipes.request.r, pipes.reply.w},
	}.Run(ctx)
	pipes.closeChildEnds()
	r := <-answer
	switch {
	case err != nil:
		return err
	case r.Error != "":
		return errors.New(r.Error)
	case r.Status != 0:
		return &diag.Ended{Status: r.Status}
	}
	return nil
}
