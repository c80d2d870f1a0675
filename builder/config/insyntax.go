package config

import (
	"path"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// InSyntax is a field with a value as it is written in the file of a place, so that what
// a message suggests can be copied: "name = value" in HCL, "name: value" in YAML.
func InSyntax(at hcl.Range, name, value string) string {
	if isYAML(at) {
		return name + ": " + value
	}
	return name + " = " + value
}

// TextInSyntax is [InSyntax] for a word.
func TextInSyntax(at hcl.Range, name, word string) string {
	if !isYAML(at) {
		word = `"` + word + `"`
	}
	return InSyntax(at, name, word)
}

func isYAML(at hcl.Range) bool {
	ext := path.Ext(at.Filename)
	return ext == ".yaml" || ext == ".yml"
}

// ListInSyntax is [InSyntax] for a list of words.
func ListInSyntax(at hcl.Range, name string, words ...string) string {
	if isYAML(at) {
		return InSyntax(at, name, "["+strings.Join(words, ", ")+"]")
	}
	return InSyntax(at, name, `["`+strings.Join(words, `", "`)+`"]`)
}
