package rootfs

import (
	"fmt"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/stage/planner"
)

// Composition is a tree that features make on top of another.
type Composition struct {
	Stage string
	// Name tells compositions of one stage apart: "system", or the extension's.
	Name     string
	Base     string // step ID
	Features []*config.Feature
	Wants    []distro.Want
	// Have are the packages in the base's tree, packages those in the result.
	Have, Packages *distro.Closure
	Origins        *planner.OriginSteps // filled in, unless it is nil
}

// id names a step of a composition.
func (c Composition) id(phase string, f *config.Feature) string {
	if c.Name == "system" {
		return fmt.Sprintf("%s/%s/%s", c.Stage, phase, f.Name)
	}
	return fmt.Sprintf("%s/%s/%s/%s", c.Stage, c.Name, phase, f.Name)
}

// composer plans what features make of a tree.
type composer struct{ *planner.Planner }

// Wants are what features ask for, without saying which feature asks and where.
func Wants(wants []compose.Want) []distro.Want {
	out := make([]distro.Want, len(wants))
	for i, w := range wants {
		out[i] = w.Want
	}
	return out
}
