package image

import (
	"fmt"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/stage/planner"
	"github.com/treewright/treewright/builder/task"
)

// Formats are all there are. A machine is started with the first of them that a
// flavour has.
var Formats = []Format{
	raw,
	qcow2,
}

// FormatsParameter is the parameter of the image stage's feature that lists the
// formats to make. A feature that does not declare it wants [raw].
const FormatsParameter = "formats"

// FormatNames are the names of all formats.
func FormatNames() []string {
	names := make([]string, len(Formats))
	for i, f := range Formats {
		names[i] = f.Name
	}
	return names
}

// FormatActions are the actions of all formats.
func FormatActions() task.Actions {
	var actions task.Actions
	for _, f := range Formats {
		if f.Convert != nil {
			actions = append(actions, f.Convert)
		}
	}
	return actions
}

// Asked returns the formats that a flavour's image is to be made in, in the order
// of [Formats]; none if it has no image.
func Asked(spec *compose.Spec) ([]Format, error) {
	f := spec.StageFeature("image")
	if f == nil {
		return nil, nil
	}
	value, declared := spec.Parameters[f.Name][FormatsParameter]
	if !declared {
		return []Format{raw}, nil
	}
	names := value.List()
	var asked []Format
	for _, format := range Formats {
		if slices.Contains(names, format.Name) {
			asked = append(asked, format)
		}
	}
	if len(asked) == 0 || len(asked) != len(names) {
		return nil, fmt.Errorf("flavour %q: the parameter %s of %q is %q; it has to name at least one of %s, each once",
			spec.Flavour.Name, FormatsParameter, f.Name, names, strings.Join(FormatNames(), ", "))
	}
	return asked, nil
}

// Needs returns the tools that a flavour's formats need. What is wrong with the
// formats is for [Plan] to say.
func Needs(spec *compose.Spec) []planner.Need {
	asked, err := Asked(spec)
	if err != nil {
		return nil
	}
	var needs []planner.Need
	for _, f := range asked {
		if need := planner.NeedOf(spec, f.purpose(), f.Tools); need.Wants != nil {
			needs = append(needs, need)
		}
	}
	return needs
}
