package trial

import (
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/vm"
)

func TestChoose(t *testing.T) {
	system := []vm.Tests{{Feature: "base", Names: []string{"root", "ssh"}}, {Feature: "quiet"}, {Feature: "podman", Names: []string{"run"}}}
	extensions := []vm.Extension{
		{Name: "debug", Tests: []vm.Tests{{Feature: "sysext-debug", Names: []string{"gdb", "strace"}}}},
		{Name: "hello", Tests: []vm.Tests{{Feature: "sysext-hello", Names: []string{"says"}}}},
	}
	for _, c := range []struct{ chosen, want string }{
		{"", "base/root base/ssh podman/run [debug] sysext-debug/gdb sysext-debug/strace [hello] sysext-hello/says"},
		{"base", "base/root base/ssh"},
		{"base/*", "base/root base/ssh"},
		// In the order of the features, whatever is named first.
		{"podman/run base/ssh", "base/ssh podman/run"},
		{"sysext-debug/gdb", "[debug] sysext-debug/gdb"},
		{"podmn", `none of the features with tests is called "podmn"; did you mean podman?`},
		{"podmn/run", `none of the features with tests is called "podmn"; did you mean podman/run?`},
		{"base/shs", `feature "base" has no test "shs"; did you mean base/ssh?`},
		{"base/everything", `feature "base" has no test "everything"; there are: root, ssh`},
		{"quiet", `feature "quiet" has no tests: there are no executables in its directory test`},
		{"upgrade/reboot", "upgrade/reboot is not a feature's test: only those can be chosen; the machine is always booted, and --upgrade adds the upgrade as a whole"},
		{"web-server-of-ours", `none of the features with tests is called "web-server-of-ours"; there are: base, podman, sysext-debug, sysext-hello`},
	} {
		var got []string
		s, e, err := choose(system, extensions, strings.Fields(c.chosen))
		add := func(all []vm.Tests) {
			for _, t := range all {
				for _, name := range t.Names {
					got = append(got, t.Feature+"/"+name)
				}
			}
		}
		add(s)
		for _, ext := range e {
			got = append(got, "["+ext.Name+"]")
			add(ext.Tests)
		}
		if err != nil {
			got = []string{err.Error()}
		}
		if text := strings.Join(got, " "); text != c.want {
			t.Errorf("%q: %s\nwant %s", c.chosen, text, c.want)
		}
	}
	if len(system[0].Names) != 2 {
		t.Error("the tests that were found have changed")
	}
}
