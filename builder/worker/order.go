package worker

import (
	"fmt"
	"path"
	"strconv"

	"github.com/treewright/treewright/builder/engine"
)

// Verb is the verb under which this program is the command of an Action; see [Work].
const Verb = "worker-exec"

// The files of an Action, relative to its working directory.
const (
	programFile = "treewright"
	orderFile   = "order.json"
	// packs has the packed inputs, by their SHA-256.
	packs = "packs"
)

// orderFormat changes with what is in an order.
const orderFormat = 1

// order is what a worker is to do: steps, one after the other.
type order struct {
	Format int       `json:"format"`
	Steps  []ordered `json:"steps"`
}

// ordered is one step.
type ordered struct {
	Key string `json:"key"`
	// Request has, in place of directories, the SHA-256 of the packed data that these have, and in place of the paths of sources
	// that of the packed sources. The result of an earlier step of the order is [engine.Made]. Looks is not empty if it is to be
	// recorded what the step looks at. The other paths are for the worker to choose.
	Request engine.Request `json:"request"`
}

// output is the path of a file that the n-th step of an order leaves.
func output(n int, name string) string { return path.Join("out", strconv.Itoa(n), name) }

// What a step leaves. A step that failed leaves no data.
const (
	// replyOutput has an [engine.Reply] as JSON.
	replyOutput = "reply.json"
	// dataOutput has what [layer.Draft.PackData] writes.
	dataOutput = "data.tar"
	// looksOutput has what the step looked at, if that was to be recorded.
	looksOutput = "looks.json"
	// eventsOutput has a JSON of each event but lines of output, which go to the command's own.
	eventsOutput = "events.json"
)

// outputs are the paths of all files that so many steps may leave.
func outputs(steps int) []string {
	var all []string
	for n := range steps {
		for _, name := range []string{replyOutput, dataOutput, looksOutput, eventsOutput} {
			all = append(all, output(n, name))
		}
	}
	return all
}

// heading is the line of output before the lines of a step. It has a part of the step's key, which the step does not know: so the step
// does not write it by accident.
func heading(id, key string) string { return fmt.Sprintf("-- %s %s --", id, key[:min(12, len(key))]) }
