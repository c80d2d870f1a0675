package stages

import (
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/gardenlinux/system"
	"github.com/treewright/treewright/builder/stage/planner"
	"github.com/treewright/treewright/builder/task"
)

// Method is how the system is made. Nothing follows it on machines: what features
// do to files and accounts is theirs to know. Scripts copy kernels to where links
// in /boot come from, so there are none.
func Method(s *system.System, t Tree) planner.Method {
	m := &method{s, t}
	return planner.Method{
		Above: artifacts{m}.plan, Seed: seedPackages, Prepared: m.aptSources, Tools: scriptTools(),
		Script: m.script, SeparateBoot: true,
	}
}

// scriptTools are the packages of [scriptToolPackages].
func scriptTools() []distro.Want {
	var wants []distro.Want
	for _, name := range scriptToolPackages {
		wants = append(wants, distro.Want{Name: name})
	}
	return wants
}

// Actions are what the steps of a cname can name, beside those of every system.
var Actions = task.Actions{
	aptSourcesAction, lastingAction, postAction, artifactAction, partitionedImageAction,
	tarAction, releaseAction, manifestAction, sbomAction, requirementsAction,
}
