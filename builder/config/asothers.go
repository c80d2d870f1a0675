package config

import (
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// What fields take, in messages.
const (
	aListOfStrings = "a list of strings"
	aMapping       = "a mapping"
)

var notAWord = regexp.MustCompile(`[\s,;]+`)

// writtenAsList is how a string is written where a list of strings is expected: the words that
// commas or blanks divide, each apart.
func writtenAsList(at hcl.Range, v cty.Value) string {
	if v.IsNull() || v.Type() != cty.String || !v.IsKnown() {
		return ""
	}
	words := notAWord.Split(strings.TrimSpace(v.AsString()), -1)
	if slices.Contains(words, "") || len(words) > 8 {
		return ""
	}
	if isYAML(at) {
		return " Write [" + strings.Join(words, ", ") + "]"
	}
	return ` Write ["` + strings.Join(words, `", "`) + `"]`
}

// asMapping is how a list is written where a mapping is expected.
func asMapping(at hcl.Range, field string, v cty.Value) string {
	if v.IsNull() || !v.Type().IsTupleType() || v.LengthInt() == 0 {
		return ""
	}
	first := v.Index(cty.NumberIntVal(0))
	if first.Type().IsObjectType() && first.Type().HasAttribute("name") {
		first = first.GetAttr("name")
	}
	if first.IsNull() || !first.IsKnown() || first.Type() != cty.String {
		return ""
	}
	word := first.AsString()
	switch field {
	case "units":
		return " Write " + ListInSyntax(at, "enable", word) + " in it."
	case "sysctl":
		key, value, both := strings.Cut(word, "=")
		if !both {
			return ""
		}
		if !isYAML(at) {
			key = `"` + key + `"`
		}
		return " Write " + InSyntax(at, strings.TrimSpace(key), strings.TrimSpace(value)) + " in it."
	case "users":
		return " Write the name as the key: " + InSyntax(at, word, "{}")
	}
	return ""
}
