package build

import (
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/distro/debian"
)

// A build names the successor, too.
func TestExplainUnknownPackages(t *testing.T) {
	index, err := debian.ParseIndex([]byte("Package: python3.14\nVersion: 1\n"))
	if err != nil {
		t.Fatal(err)
	}
	gone := distro.Want{Name: "python3.11"}
	diags := explain(&distro.UnknownError{Sources: []distro.Source{{URL: "http://m", Suite: "testing"}}, Missing: []distro.Want{gone}, Index: index},
		[]compose.Want{{Want: distro.Want{Name: "bash"}}, {Want: distro.Want{Name: "python3.11"}, Range: hcl.Range{Filename: "x"}}})
	if len(diags) != 1 || diags[0].Subject.Filename != "x" || !strings.HasSuffix(diags[0].Detail, `Its successor there is "python3.14".`) {
		t.Errorf("got %v", diags)
	}
}
