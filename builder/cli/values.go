package cli

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/trial"
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

// mostAmount is far more than makes sense of anything; dates and sizes that are worked
// out of larger numbers could overflow.
const mostAmount = 1_000_000_000

// Set implements [pflag.Value].
func (n amount) Set(text string) error {
	i, err := strconv.Atoi(text)
	if i > mostAmount {
		return fmt.Errorf("takes %s, %d at most, not %q", n.takes, mostAmount, text)
	}
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
	if n, err := strconv.ParseUint(text, 10, 16); err == nil {
		return fmt.Errorf("%s; did you mean 127.0.0.1:%d, or :%d for all addresses of this machine?", problem, n, n)
	}
	if meant := listenMeant(text); meant != "" {
		return fmt.Errorf("%s; did you mean %s?", problem, meant)
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return errors.New(problem)
	}
	if !aHost.MatchString(host) {
		return fmt.Errorf("%s: %q is neither an address nor the name of a host", problem, host)
	}
	if _, err := net.LookupPort("tcp", port); err != nil || port == "" {
		return fmt.Errorf("%s: %q is not a port, which is a number up to 65535", problem, port)
	}
	*a.value = text
	return nil
}

// aHost are the letters of names and addresses, and those of a zone.
var aHost = regexp.MustCompile(`^[A-Za-z0-9.:_-]*(%[A-Za-z0-9._-]+)?$`)

// listenMeant is what was probably meant by an address that is written in another way:
// as a URL, without a port, or without the brackets of an IPv6 address.
func listenMeant(text string) string {
	if u, err := url.Parse(text); err == nil && strings.HasPrefix(u.Scheme, "http") && u.Port() != "" {
		return u.Host
	}
	port := ":" + strings.TrimPrefix(trial.Listen, "127.0.0.1:")
	if ip, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		return net.JoinHostPort(ip.String(), port[1:])
	}
	if strings.Contains(text, ".") && !strings.ContainsAny(text, ":/ ") || text == "localhost" {
		return text + port
	}
	return ""
}

func (a address) String() string { return *a.value }

// Type implements [pflag.Value].
func (a address) Type() string { return "[ADDRESS]:PORT" }

// meant is the word that was probably meant by another one: the only one that begins with
// it, or else one that is near; "" if there is none.
func meant(word string, words []string) string {
	if all := config.Begun(word, words); len(all) == 1 {
		return all[0]
	}
	return config.Suggest(word, words)
}

// oneOf is the end of a sentence about a word that is not one of those that can be
// given: `text or json, not "jsn"; did you mean "json"?`
func oneOf(word string, words []string) string {
	end := ""
	if s := meant(word, words); s != "" {
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

// placeholder is what replaces an option's value; "" if it takes none.
func placeholder(f *pflag.Flag) string {
	if f.NoOptDefVal != "" {
		return ""
	}
	name, _ := pflag.UnquoteUsage(f)
	return name
}
