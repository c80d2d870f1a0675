package engine

import (
	"context"
	"sync"
	"time"

	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/remote"
)

// defaultMemoryMiB is what a step that does not say is expected to use.
const defaultMemoryMiB = 512

// Executor carries steps out. A request contains everything about the step, so it can
// be carried out by another process, or on another machine.
type Executor interface {
	// Execute carries out a step, and puts what it makes into the request's
	// directories. An error of a program in the step is a [*Failure].
	Execute(ctx context.Context, r *Request) (layer.Result, error)
}

// Engine runs plans.
type Engine struct {
	Store    Store
	Executor Executor
	// Cache has results of other machines; nil for none.
	Cache *remote.Shared
	Sink  event.Sink
	// FailedLogs is the directory that keeps the logs of failed steps.
	FailedLogs string
	// Secrets are what is in the secrets that steps name.
	Secrets map[string][]byte
	// NoShortcuts runs all steps that have no result, even if what they look at in their
	// trees did not change.
	NoShortcuts bool
	// Workers is how many steps run at once, MemoryMiB what they may use
	// together; 0 means what the machine has.
	Workers, MemoryMiB int
	// Sent reports whether the executor sends a step to another machine; nil if it does not send any. Actions is the number of steps that
	// are sent at the same time. Sent steps do not count for Workers or MemoryMiB.
	Sent    func(s *plan.Step) bool
	Actions int
	// Takes estimates how long the step with an ID takes; nil counts all steps the same. Only the order of the steps depends on it.
	Takes func(id string) time.Duration

	// said has the keys of the damaged results that were reported.
	said map[string]bool

	mu sync.Mutex
	// chains are the chains of the graph chained. chained is the graph of the last run.
	chains  plan.Chains
	chained *plan.Graph
	// warned has the keys of the steps whose warnings were shown: one engine can look at a step several times.
	warned map[string]bool
	// pulled has the steps whose results came from the remote cache, or were made to be compared with such ones;
	// true if they were made here.
	pulled map[string]bool
}

// Outcome is what a run leaves: the results of all targets and of every step
// that was looked at, and which steps ran.
type Outcome struct {
	Results map[string]layer.Result
	Ran     map[string]bool
}
