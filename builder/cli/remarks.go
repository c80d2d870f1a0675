package cli

import (
	"slices"

	"github.com/treewright/treewright/builder/event"
)

// remarks is a sink that writes notes and warnings to standard error, as a build does,
// and leaves out what is only of interest while a build runs.
func (c *command) remarks() event.Sink {
	return remarks{event.NewPlain(c.Err, event.Options{})}
}

type remarks struct{ event.Sink }

var remarkable = []event.Kind{event.Note, event.Warning, event.StepWarning, event.Waiting}

// Emit implements [event.Sink].
func (r remarks) Emit(e event.Event) {
	if slices.Contains(remarkable, e.Kind) {
		r.Sink.Emit(e)
	}
}
