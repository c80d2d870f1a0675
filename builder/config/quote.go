package config

import (
	"encoding/base64"
	"errors"
	"regexp"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// base64Func writes a string in base64.
var base64Func = textFunc("The string in base64, in one line.", func(s string) (string, error) {
	return base64.StdEncoding.EncodeToString([]byte(s)), nil
})

// unitFunc makes a string one word in a unit file of systemd.
var unitFunc = textFunc("The string as one word in a unit file of systemd.", unitQuote)

// shellFunc makes a string one word of a shell's command line, and a list several.
var shellFunc = function.New(&function.Spec{
	Description: "The string as one word for a shell; of a list, each string as a word.",
	Params:      []function.Parameter{{Name: "words", Type: cty.DynamicPseudoType}},
	Type:        function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		words, problem := typed(args[0], List)
		if args[0].Type() == cty.String {
			words, problem = []string{args[0].AsString()}, ""
		}
		if problem != "" {
			return cty.NilVal, function.NewArgErrorf(0, "it takes a string or %s", strings.TrimSuffix(problem, "."))
		}
		var quoted []string
		for _, word := range words.([]string) {
			word, err := shellQuote(word)
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			quoted = append(quoted, word)
		}
		return cty.StringVal(strings.Join(quoted, " ")), nil
	},
})

// textFunc is a function of one string.
func textFunc(description string, do func(string) (string, error)) function.Function {
	return function.New(&function.Spec{
		Description: description,
		Params:      []function.Parameter{{Name: "text", Type: cty.String}},
		Type:        function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			text, err := do(args[0].AsString())
			if err != nil {
				return cty.NilVal, function.NewArgError(0, err)
			}
			return cty.StringVal(text), nil
		},
	})
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+:,./-]+$`)

// errZero is that of text for programs whose strings end at such a byte.
var errZero = errors.New("there is a zero byte in it, which no program can be given")

func shellQuote(s string) (string, error) {
	switch {
	case strings.Contains(s, "\x00"):
		return "", errZero
	case plainWord.MatchString(s):
		return s, nil
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'", nil
}

// unitQuote goes by systemd.syntax(7) and systemd.unit(5): quotes, escapes of C, and
// the percent sign of specifiers. A dollar sign is for ExecStart= alone to escape.
func unitQuote(s string) (string, error) {
	if strings.Contains(s, "\x00") {
		return "", errZero
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "%", "%%").Replace(s) + `"`, nil
}
