package build

import (
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/distro"
)

// TestConflictIsToldOnce: at the first line that asks for one of the packages, with the
// places of the others and without apt's advice.
func TestConflictIsToldOnce(t *testing.T) {
	at := func(line int) hcl.Range {
		return hcl.Range{Filename: "features/a/pkg.include", Start: hcl.Pos{Line: line, Column: 1}}
	}
	var mentions []compose.Want
	for i, name := range []string{"vim", "exim4-daemon-light", "postfix"} {
		mentions = append(mentions, compose.Want{Want: distro.Want{Name: name}, Range: at(i + 1)})
	}
	err := &distro.UnsolvableError{Program: "apt", Reason: `Reading package lists...
Some packages could not be installed. This may mean that you have
requested an impossible situation or if you are using the unstable
distribution that some required packages have not yet been created
or been moved out of Incoming.
The following information may help to resolve the situation:

The following packages have unmet dependencies:
 exim4-daemon-light : Conflicts: mail-transport-agent
 postfix : Conflicts: mail-transport-agent
E: Unable to correct problems, you have held broken packages.`}
	diags := explain(err, mentions, hcl.Range{})
	if len(diags) != 1 || diags[0].Subject.Start.Line != 2 {
		t.Fatalf("%v", diags)
	}
	want := `apt says:
  exim4-daemon-light : Conflicts: mail-transport-agent
  postfix : Conflicts: mail-transport-agent
postfix is asked for at features/a/pkg.include:3.`
	if diags[0].Detail != want {
		t.Errorf("%s\nwant\n%s", diags[0].Detail, want)
	}
	// What is not understood is shown as it is.
	err.Reason = "E: postfix is odd"
	if diags = explain(err, mentions, hcl.Range{}); len(diags) != 1 || diags[0].Detail != "apt says:\nE: postfix is odd" {
		t.Errorf("%v", diags)
	}
}
