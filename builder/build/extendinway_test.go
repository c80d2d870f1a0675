package build

import (
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/distro"
)

// TestUnsolvedAbove: the message names the packages that provide a virtual one, and describes the remedies for a conflict.
func TestUnsolvedAbove(t *testing.T) {
	for _, c := range []struct{ reason, want string }{
		{"Reading package lists...\nPackage awk is a virtual package provided by:\n  original-awk 2025-12-25-1\n  mawk 1.3.4\n  gawk 1:5.3.2-1 (= 1)\n  gawk 1:5.2\n\n\n\nE: Package 'awk' has no installation candidate",
			"awk is a virtual package, which these provide: gawk, mawk, original-awk. Ask for one of them"},
		{"The following packages have unmet dependencies:\n chrony : Conflicts: time-daemon\n systemd-timesyncd : Conflicts: time-daemon\nE: Unable to correct problems",
			"apt says:\n  chrony : Conflicts: time-daemon\n  systemd-timesyncd : Conflicts: time-daemon\nThe packages of the commit stay, in their versions."},
	} {
		if got := unsolvedAbove(&distro.UnsolvableError{Program: "apt", Reason: c.reason}); !strings.HasPrefix(got, c.want) {
			t.Errorf("got:\n%s\nwant:\n%s", got, c.want)
		}
	}
}
