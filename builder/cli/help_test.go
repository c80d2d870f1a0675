package cli

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/pflag"

	"github.com/treewright/treewright/builder/treetest"
)

// helping is a command that helps in a tree with flavours, or in one without.
func helping(t *testing.T, files map[string]string) *command {
	t.Helper()
	dir := t.TempDir()
	treetest.WriteAll(t, dir, files)
	c := &command{options: options{dir: dir}}
	newFlags(helpVerb, &c.options)
	c.options.dir = dir
	if err := c.options.complete(); err != nil {
		t.Fatal(err)
	}
	if err := c.open(); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestHelpFitsEverywhere: no line is longer than a terminal is wide, whatever the
// program is called and whichever kind of tree there is.
func TestHelpFitsEverywhere(t *testing.T) {
	ours, others := map[string]string{"flavours/a.yaml": "flavours: {}\n", "features/base/info.yaml": "type: platform\n"}, map[string]string{"features/base/info.yaml": "type: platform\n"}
	for _, name := range []string{"", "./build"} {
		t.Setenv(calledAs, name)
		for _, c := range []*command{helping(t, ours), helping(t, others)} {
			for _, topic := range append(verbNames(), "", commonTopic, c.options.other.Topic().Name) {
				text, err := c.helpOn(topic)
				if err != nil {
					t.Errorf("help %s: %v", topic, err)
				}
				for line := range strings.Lines(text) {
					if utf8.RuneCountInString(strings.TrimSuffix(line, "\n")) > 80 {
						t.Errorf("help %s: more than 80 columns: %s", topic, line)
					}
				}
				if name == "" && strings.Contains(text, "./build") {
					t.Errorf("help %s says ./build to who has treewright", topic)
				}
			}
		}
	}
}

// TestHelpShowsWhatAVerbHas: an example that is one, and for each option what its
// value is.
func TestHelpShowsWhatAVerbHas(t *testing.T) {
	shipped := treetest.Shipped(t)
	for _, v := range verbs {
		if v.hidden {
			continue
		}
		if v.example == "" {
			t.Errorf("%s has no example", v.name)
		}
		for line := range strings.Lines(v.example) {
			line = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(line), "source <("), ")")
			line, _, _ = strings.Cut(line, " > ")
			words := strings.Fields(line)
			c, err := parse(nil, append([]string{"-C", shipped}, words[1:]...), Streams{})
			if words[0] != "./build" || err != nil || c.verb != v {
				t.Errorf("the example %q is for %s, and is not an example of %s: %v", line, c.verb.name, v.name, err)
			}
		}
		newFlags(v, &options{}).VisitAll(func(f *pflag.Flag) {
			if p := placeholder(f); f.NoOptDefVal == "" && (p == "" || slices.Contains([]string{"string", "int", "stringArray"}, p)) {
				t.Errorf("%s: help does not say what the value of --%s is", v.name, f.Name)
			}
		})
	}
}

// TestOptionsAreAlike: an option takes a value with every verb that has it, or with
// none, so that it can come before the verb.
func TestOptionsAreAlike(t *testing.T) {
	all := allOptions()
	for _, v := range verbs {
		if v.verbatim {
			continue
		}
		newFlags(v, &options{}).VisitAll(func(f *pflag.Flag) {
			other := all.Lookup(f.Name)
			if f.Name != versionOption && (other.NoOptDefVal != f.NoOptDefVal || other.Shorthand != f.Shorthand) {
				t.Errorf("--%s of %s is another kind of option than that of other verbs", f.Name, v.name)
			}
		})
	}
}
