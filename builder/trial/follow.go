package trial

import (
	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/vm"
)

// servedPort is where machines look for what was built, on [vm.Host].
const servedPort = "8080"

// remoteOf is what a machine of a flavour is told to follow: what is served to
// it from base; nil if its image follows something.
func remoteOf(spec *compose.Spec, base, repository string) *vm.Remote {
	f := spec.StageFeature("commit")
	if f == nil || repository == "" || spec.Parameters[f.Name]["remote_url"].String() != "" {
		return nil
	}
	return &vm.Remote{Name: spec.Parameters[f.Name]["remote_name"].String(), URL: base + "/" + spec.Flavour.Name + "/" + repository}
}
