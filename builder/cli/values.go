package cli

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/config"
)

// The values in this file check what is given to an option while the command line is
// read. Their errors are the end of a sentence that begins with the option's name.

// choice is the value of an option that takes one of some words.
type choice struct {
	value *string
	words []string
}

// choiceVar declares such an option. The first word is the default.
func choiceVar(f *pflag.FlagSet, value *string, name, usage string, words ...string) {
	*value = words[0]
	f.Var(choice{value, words}, name, usage)
}

// formatVar declares the option --format of verbs that print text or JSON.
func formatVar(f *pflag.FlagSet, value *string) {
	choiceVar(f, value, "format", "text, or json for programs", "text", "json")
}

// Set implements [pflag.Value].
func (c choice) Set(text string) error {
	if !slices.Contains(c.words, text) {
		return errors.New("takes " + oneOf(text, c.words))
	}
	*c.value = text
	return nil
}

func (c choice) String() string { return *c.value }

// Type is what help shows in place of the value.
func (c choice) Type() string { return strings.Join(c.words, "|") }

// amount is the value of an option that takes a number.
type amount struct {
	value *int
	least int
	// takes is what is counted: "a number of days".
	takes string
}

// Set implements [pflag.Value].
func (n amount) Set(text string) error {
	i, err := strconv.Atoi(text)
	if err != nil || i < n.least {
		return fmt.Errorf("takes %s, %d or more, not %q", n.takes, n.least, text)
	}
	*n.value = i
	return nil
}

func (n amount) String() string { return strconv.Itoa(*n.value) }

// Type implements [pflag.Value].
func (n amount) Type() string { return "N" }

// address is the value of an option that takes an address to listen on.
type address struct{ value *string }

// Set implements [pflag.Value].
func (a address) Set(text string) error {
	problem := fmt.Sprintf("takes [ADDRESS]:PORT, not %q", text)
	_, port, err := net.SplitHostPort(text)
	if err != nil {
		if n, err := strconv.ParseUint(text, 10, 16); err == nil {
			return fmt.Errorf("%s; did you mean 127.0.0.1:%d, or :%d for all addresses of this machine?", problem, n, n)
		}
		return errors.New(problem)
	}
	if _, err := net.LookupPort("tcp", port); err != nil || port == "" {
		return fmt.Errorf("%s: %q is not a port", problem, port)
	}
	*a.value = text
	return nil
}

func (a address) String() string { return *a.value }

// Type implements [pflag.Value].
func (a address) Type() string { return "[ADDRESS]:PORT" }

// oneOf is the end of a sentence about a word that is not one of those that can be
// given: `text or json, not "jsn"; did you mean "json"?`
func oneOf(word string, words []string) string {
	end := ""
	if s := config.Suggest(word, words); s != "" {
		end = fmt.Sprintf("; did you mean %q?", s)
	}
	return fmt.Sprintf("%s, not %q%s", alternatives(words), word, end)
}

// alternatives is "a", "a or b", "a, b or c".
func alternatives(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// placeholder is what stands for an option's value; "" if it takes none.
func placeholder(f *pflag.Flag) string {
	if f.NoOptDefVal != "" {
		return ""
	}
	name, _ := pflag.UnquoteUsage(f)
	return name
}
