package build

import (
	"errors"
	"fmt"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/engine"
	"github.com/treewright/treewright/builder/extend"
)

// TestFaultsOfAMachinesSources: a machine's user does not see the configuration tree that the image is made with.
func TestFaultsOfAMachinesSources(t *testing.T) {
	faults := &diag.Faults{Files: map[string]*hcl.File{"flavours/this-machine.yaml": {Bytes: []byte("x")}}, List: hcl.Diagnostics{
		{Severity: hcl.DiagError, Summary: "Archive that cannot be used", Detail: "no answer from a", Subject: &hcl.Range{Filename: "flavours/this-machine.yaml"}},
		{Severity: hcl.DiagError, Summary: "Archive that cannot be used", Detail: "no answer from b"},
	}}
	base := &extendedCommit{sum: pooledCommit}
	if got := base.withoutTree(fmt.Errorf("plan: %w", faults)).Error(); got != "the sources of packages in /etc/apt: no answer from a\nno answer from b" {
		t.Error(got)
	}
	base.pool = []distro.Archived{{}}
	var host *diag.Host
	if err := base.withoutTree(faults); !errors.As(err, &host) || err.Error() != "the pool of commit aaaaaaaaaaaa does not have all packages that are needed, and the sources of packages in /etc/apt: no answer from a\nno answer from b" {
		t.Error(err)
	}
	var step *engine.StepError
	if err := base.withoutTree(&extend.Failure{Reason: extend.Unfit, Text: "jq cannot be added", Err: &engine.StepError{Log: "/var/tmp/x"}}); err.Error() != "jq cannot be added" || errors.As(err, &step) {
		t.Error(err)
	}
	other := errors.New("disk full")
	if err := base.withoutTree(other); err != other || base.withoutTree(nil) != nil {
		t.Error(err)
	}
}
