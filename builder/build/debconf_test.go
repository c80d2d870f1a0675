package build_test

import (
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/treetest"
)

// TestVainAnswers has answers for a package that every tree starts with, for one
// that is wanted, for a mistyped one, and for an extension's.
func TestVainAnswers(t *testing.T) {
	tree := small(t)
	treetest.WriteAll(t, tree, map[string]string{
		"features/answers/info.yaml":       "type: element\n",
		"features/answers/pkg.include":     "locales\n",
		"features/answers/debconf":         "dpkg dpkg/question string x\nlocales locales/default_environment_locale select C.UTF-8\nlocale locale/other string x\ndebconf debconf/priority select low\n",
		"features/sysext-more/info.yaml":   "type: extension\n",
		"features/sysext-more/pkg.include": "tool\n",
		"features/sysext-more/debconf":     "tool tool/x string x\nlocales locales/x string x\n",
		"flavours/answers.hcl": `flavour "answers" {
  extends      = "small"
  add_features = ["answers", "sysext-more"]
}
`,
	})
	sink := &recorder{}
	if _, err := open(t, tree).Build(t.Context(), build.Request{Name: "answers", Sink: sink}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range sink.of(event.Warning) {
		got = append(got, e.Line)
	}
	want := []string{
		"features/answers/debconf:1: dpkg is configured before answers are given, so this answer is kept but has no effect; change the setting in exec.config",
		"features/answers/debconf:3: the system does not have the package locale, so this answer has no effect; did you mean locales?",
		"features/sysext-more/debconf:2: locales is configured before answers are given, so this answer is kept but has no effect; change the setting in exec.config",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
