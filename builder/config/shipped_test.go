package config

import (
	"cmp"
	"testing"

	"github.com/treewright/treewright"
)

// TestShippedParametersAreBounded: whatever a flavour sets for a shipped feature is
// judged before anything is built. A string is of some form, a number has a least
// value.
func TestShippedParametersAreBounded(t *testing.T) {
	p := mustLoad(t, treewright.Tree(), Options{Choices: map[string]map[string][]string{"image": {"formats": {"raw", "qcow2"}}}})
	judged := 0
	for _, f := range p.SortedFeatures() {
		for _, param := range f.Parameters {
			switch param.Type {
			case String, List:
				if cmp.Or(param.Format, param.stage.format) == "" && param.Pattern == nil && len(param.Values) == 0 {
					t.Errorf("%s: the parameter %s of %s takes any string", PlaceOf(param.Range), param.Name, f.Name)
				}
			case Int:
				if param.Min == nil {
					t.Errorf("%s: the parameter %s of %s takes any number", PlaceOf(param.Range), param.Name, f.Name)
				}
			default:
				continue
			}
			judged++
		}
	}
	if judged < 10 {
		t.Errorf("only %d parameters were judged", judged)
	}
}
