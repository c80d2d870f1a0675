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

const summaryTooMuch = "Too much to work out"

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
