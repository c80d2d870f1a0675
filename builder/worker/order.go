package worker

import (
	"fmt"
	"path"
	"strconv"

	"github.com/treewright/treewright/builder/engine"
)

// Verb is the argument with which this program runs as the command of an Action; see [Work].
const Verb = "worker-exec"

// These are the files of an Action, relative to its working directory.
const (
	programFile = "treewright"
	orderFile   = "order.json"
	// packs is the directory of the packed inputs. Their names are their SHA-256.
	packs = "packs"
)

// orderFormat is the version of the format of orders.
const orderFormat = 1

// order lists the steps that a worker carries out, one after the other.
type order struct {
	Format int       `json:"format"`
	Steps  []ordered `json:"steps"`
}

// ordered is one step.
type ordered struct {
	Key string `json:"key"`
	// In Request, the SHA-256 of packed data replaces the path of a directory or source, and [engine.Made] replaces the result of an
	// earlier step of the order. If Looks is not empty, the worker records the files that the step looks at. The other paths are empty, and
	// the worker sets them.
	Request engine.Request `json:"request"`
}

// output returns the path of an output of the n-th step of an order, counted from 0.
func output(n int, name string) string { return path.Join("out", strconv.Itoa(n), name) }

// These are the outputs of a step. A failed step does not have a dataOutput.
const (
	// replyOutput has an [engine.Reply] as JSON.
	replyOutput = "reply.json"
	// dataOutput is the archive of [layer.Draft.PackData].
	dataOutput = "data.tar"
	// looksOutput is the record of the files that the step looked at, if the order asks for it.
	looksOutput = "looks.json"
	// eventsOutput has the events of the kinds Part, Command and StepUsed, as JSON. The step's lines are the output of the command.
	eventsOutput = "events.json"
)

// outputs returns the paths of all outputs that an order with the given number of steps can have.
func outputs(steps int) []string {
	var all []string
	for n := range steps {
		for _, name := range []string{replyOutput, dataOutput, looksOutput, eventsOutput} {
			all = append(all, output(n, name))
		}
	}
	return all
}

// heading returns the first line of the output of a step. The line has a part of the step's key. The step does not have its key, so it does
// not write this line by accident.
func heading(id, key string) string { return fmt.Sprintf("-- %s %s --", id, key[:min(12, len(key))]) }
