package config

import (
	"fmt"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
)

// What a tree may hold. Whatever is in one, reading it ends soon and takes little
// memory; what people write stays far below. docs/reference.md lists the bounds.
const (
	// maxSource bounds a flavour file, an info.yaml and a flavors.yaml, in bytes.
	maxSource = 512 << 10
	// maxTokens bounds the tokens of a file in HCL, and the values of one in YAML.
	maxTokens = 100_000
	// maxLines bounds the lines of a list that say something.
	maxLines = 20_000
	// maxParts bounds tokens, values and lines of all files together.
	maxParts = 500_000
	// partsOfFile is what a file counts among them however little it holds.
	partsOfFile = 50

	maxFeatures = 2000
	maxFlavours = 2000
	// maxMentions bounds features and settings of all flavours together.
	maxMentions = 200_000

	// maxFaults is how many faults are collected before the rest is left unread.
	maxFaults = 1000
	// maxDetail is how long the text of a fault may be, in bytes: it can quote
	// what is at fault.
	maxDetail = 2000
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
		if len(l.diags) >= maxFaults {
			last := *d
			last.Severity, last.Summary = hcl.DiagError, "Too many faults"
			last.Detail = fmt.Sprintf("These are %d, and what comes after has not been looked at.", maxFaults)
			l.stop(&last)
		}
	}
}

const summaryTooMuch = "Too much to work out"

// count takes in that a file holds so many tokens, values or lines.
func (l *loader) count(name string, parts int) {
	if l.parts += parts + partsOfFile; l.parts > maxParts {
		l.stop(fault(fileStart(name), "Tree too large", "With this file, the flavours, info.yaml files and lists of the tree hold more than %d words, values and lines together (each file counts as %d at least). The rest has not been read.", maxParts, partsOfFile))
	}
}

// tooLong is the fault of a source that is beyond [maxSource], or nil.
func tooLong(name string, src []byte) *hcl.Diagnostic {
	if len(src) <= maxSource {
		return nil
	}
	return fault(fileStart(name), "File too large", "It has %d bytes, and %d is the most that a file of this kind may have.", len(src), maxSource)
}

// cut shortens a text to so many bytes.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most] + " ..."
}

// chain writes names that lead to each other, and leaves out the middle of many.
func chain(names []string) string {
	const most = 10
	text := ""
	for i, name := range names {
		switch {
		case len(names) > most && i == most/2:
			text += fmt.Sprintf(" -> (%d more)", len(names)-most+1)
			continue
		case len(names) > most && i > most/2 && i < len(names)-most/2+1:
			continue
		case i > 0:
			text += " -> "
		}
		text += cut(name, 100)
	}
	return text
}
