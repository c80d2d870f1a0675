package trial

import (
	"fmt"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/stage/commit"
	"github.com/treewright/treewright/builder/vm"
)

// leadOf leads the machines of a flavour from its remote_url to the repository that is
// served to them. Without remote_url it is nil. An error explains why that is impossible.
func leadOf(spec *compose.Spec) (*vm.Lead, error) {
	f := spec.StageFeature("commit")
	if f == nil {
		return nil, nil
	}
	remote := vm.Remote{Name: spec.Parameters[f.Name]["remote_name"].String(), URL: spec.Parameters[f.Name]["remote_url"].String()}
	if remote.URL == "" {
		return nil, nil
	}
	names, _ := commit.Names(spec)
	lead, err := vm.NewLead(remote, names.Ref, spec.Flavour.Name+"/"+names.Repo)
	if err != nil {
		return nil, fmt.Errorf("a virtual machine has to reach the server of this test at remote_url of %s, but %q %w", f.Name, remote.URL, err)
	}
	return lead, nil
}
