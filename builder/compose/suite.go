package compose

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
)

// checkSuite finds stages that the flavour's suite is known not to have.
func (s *Spec) checkSuite(lacks func(family, stage, suite string) string) hcl.Diagnostics {
	if lacks == nil {
		return nil
	}
	stages := map[string]*config.Feature{}
	for _, f := range s.Features {
		if f.Stage != "" {
			stages[f.Stage] = f
		}
	}
	for _, e := range s.Extensions {
		stages[ExtensionStage] = e.Feature
	}
	var diags hcl.Diagnostics
	d := s.Flavour.Distribution
	for _, stage := range slices.Sorted(maps.Keys(stages)) {
		if why := lacks(d.Family, stage, d.Suite); why != "" {
			diags = append(diags, SuiteLacks(s.Flavour, stages[stage].Name, stage, why))
		}
	}
	return diags
}

// ExtensionStage is the stage of the extensions, which no feature names.
const ExtensionStage = "extension"

// SuiteLacks is what is wrong with a flavour whose suite lacks something for a
// stage, which a feature adds.
func SuiteLacks(f *config.Flavour, feature, stage, why string) *hcl.Diagnostic {
	return fault("Suite too old",
		fmt.Sprintf("Flavour %q has the %s stage (feature %q), which %q cannot have: %s. Choose a newer suite, or leave out the feature.", f.Name, stage, feature, f.Distribution.Suite, why),
		f.Distribution.SuiteRange)
}
