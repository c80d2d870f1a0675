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

// StepsOf returns the IDs of the steps that a composition has for one feature, in their order,
// without the steps for all features. generated is set if it has generated files.
func (c Composition) StepsOf(f *config.Feature, generated bool) []string {
	var ids []string
	for _, step := range []struct {
		phase string
		has   bool
	}{
		{"exec.early", f.Scripts["exec.early"]},
		{"debconf", len(f.Debconf) > 0},
		{"exec.accounts", f.Scripts["exec.accounts"]},
		{"exec.build", f.Scripts["exec.build"]},
		{"file.include", f.HasFiles || f.Scripts["exec.build"] || generated},
		{"file.include.stat", len(f.FileStat) > 0},
		{"exec.config", f.Scripts["exec.config"]},
		{"exec.late", f.Scripts["exec.late"]},
		// What an extension leaves out is not a change to the tree below it.
		{"file.exclude", len(f.FileExclude) > 0 && c.Stage != "extension"},
		{"exec.post", f.Scripts["exec.post"]},
	} {
		if step.has {
			ids = append(ids, c.id(step.phase, f))
		}
	}
	return ids
}
