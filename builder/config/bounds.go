package config

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
)

// stopped is what ends the reading of a tree that is beyond a bound, in a panic
// that [loader.guarded] catches.
type stopped struct{}

// guarded reads some of a tree until it ends, or is beyond a bound.
func (l *loader) guarded(read func()) {
	defer func() {
		if r := recover(); r != nil {
			if _, ours := r.(stopped); !ours {
				panic(r)
			}
			l.ended = true
		}
	}()
	read()
}

// stop reports what is beyond a bound, and ends the reading.
func (l *loader) stop(d *hcl.Diagnostic) {
	l.diags = append(l.diags, d)
	panic(stopped{})
}

// say takes in faults. So many that nobody reads them end the reading.
func (l *loader) say(diags ...*hcl.Diagnostic) {
	for _, d := range diags {
		l.diags = append(l.diags, d)
		if d.Summary == summaryTooMuch {
			panic(stopped{})
		}
		if len(l.diags) >= MaxFaults {
			last := *d
			last.Severity, last.Summary = hcl.DiagError, "Too many faults"
			last.Detail = fmt.Sprintf("There are %d faults up to here. The rest was not checked.", MaxFaults)
			l.stop(&last)
		}
	}
}

// count takes in that a file holds so many tokens, values or lines.
func (l *loader) count(name string, parts int) {
	if l.parts += parts; l.parts > MaxParts {
		l.stop(Fault(FileStart(name), "Tree too large", "With this file, the flavours, info.yaml files and lists of the tree hold more than %d words, values and lines together (each file counts as %d at least). The rest was not read.", MaxParts, PartsOfFile))
	}
}

// TooLong is the fault of a source that is beyond [maxSource], or nil.
func TooLong(name string, src []byte) *hcl.Diagnostic {
	if len(src) <= maxSource {
		return nil
	}
	return Fault(FileStart(name), "File too large", "The file has %d bytes; a file of this kind may have %d at most.", len(src), maxSource)
}
