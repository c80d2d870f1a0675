package stages

import (
	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/plan/plantest"
	"github.com/treewright/treewright/builder/stage/planner"
)

func fakeTools(base *distro.Closure, arch string, wants []distro.Want) planner.Tools {
	var names []string
	for _, w := range wants {
		names = append(names, w.Name)
	}
	return planner.Tools{Wants: wants, Packages: plantest.Closure(base, arch, names...)}
}

func namesOfWants(wants []compose.Want) []string {
	var out []string
	for _, w := range wants {
		out = append(out, w.Name)
	}
	return out
}
