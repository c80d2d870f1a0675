package build

import (
	"fmt"
	"strings"

	"github.com/treewright/treewright/builder/engine"
	"github.com/treewright/treewright/builder/stage/machine"
)

// mostMade is the largest number of files for which the error of a step names the steps
// that made them.
const mostMade = 20

// madeBy adds to the error of a failed step which steps made the files that it is about.
// What cannot be found out is left out.
func (l *Layers) madeBy(failed *engine.StepError) {
	text := ""
	for _, path := range failed.Paths[:min(len(failed.Paths), mostMade)] {
		changes, _, err := l.changes(machine.Canonical(path))
		if err != nil || len(changes) == 0 {
			continue
		}
		last := changes[len(changes)-1]
		text += fmt.Sprintf("\n%s is from step %s: %s", path, last.Step, last.Title)
		if last.Package != nil {
			text += fmt.Sprintf(" (%s %s)", last.Package.Name, last.Package.Version)
		} else if last.From != "" {
			text += fmt.Sprintf(" (%s)", last.From)
		}
	}
	if text != "" {
		failed.Err = fmt.Errorf("%w\n%s", failed.Err, strings.TrimPrefix(text, "\n"))
	}
}
