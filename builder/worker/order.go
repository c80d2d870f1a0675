package worker

import (
	"fmt"
	"path"
	"strconv"

	"github.com/treewright/treewright/builder/engine"
)

// Verb is the argument with which this program runs as the command of an Action; see [Work].
const Verb = "worker-exec"

// The files of an Action, relative to its working directory.
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
	// Request has the SHA-256 of packed data in place of the paths of directories and sources, and [engine.Made] in place of the
	// result of an earlier step of the order. Looks is not empty if the worker records what the step looks at. The other
	// paths are empty: the worker fills them in.
	Request engine.Request `json:"request"`
}

// output returns the path of an output of the n-th step of an order, from 0.
func output(n int, name string) string { return path.Join("out", strconv.Itoa(n), name) }

// The outputs of a step. A step that failed does not leave data.
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

// outputs returns the paths of all files that an order of so many steps can leave.
func outputs(steps int) []string {
	var all []string
	for n := range steps {
		for _, name := range []string{replyOutput, dataOutput, looksOutput, eventsOutput} {
			all = append(all, output(n, name))
		}
	}
	return all
}

// heading returns the line that begins the output of a step. It has a part of the step's key: the step does not know the key, so it
// does not write this line by accident.
func heading(id, key string) string { return fmt.Sprintf("-- %s %s --", id, key[:min(12, len(key))]) }
