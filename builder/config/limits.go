package config

import (
	"fmt"
	"unicode/utf8"
)

// What a tree may hold. Whatever is in one, reading it ends soon and takes little
// memory; what people write stays far below. docs/reference.md lists the bounds.
const (
	// maxSource bounds a flavour file, an info.yaml and a flavors.yaml, in bytes.
	maxSource = 512 << 10
	// MaxTokens bounds the tokens of a file in HCL, and the values of one in YAML.
	MaxTokens = 100_000
	// MaxLines bounds the lines of a list that say something.
	MaxLines = 20_000
	// MaxParts bounds tokens, values and lines of all files together.
	MaxParts = 500_000
	// PartsOfFile is what a file counts among them however little it holds.
	PartsOfFile = 50

	// MaxFeatures and MaxFlavours bound features and flavours.
	MaxFeatures = 2000
	MaxFlavours = 2000
	// maxMentions bounds features and settings of all flavours together.
	maxMentions = 200_000

	// MaxFaults is how many faults are collected before the rest is left unread.
	MaxFaults = 1000
	// maxDetail is how long the text of a fault may be, in bytes: it can quote
	// what is at fault.
	maxDetail = 2000
)

const summaryTooMuch = "Too much to evaluate"

// Cut shortens a text to so many bytes.
func Cut(text string, most int) string {
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
		text += Cut(name, 100)
	}
	return text
}
