package config

import (
	"slices"
	"strings"
	"testing"
)

// TestElsewhereNamesNoField: a name that a block knows is never called unknown, and a
// name with a capital or an underscore would never be found.
func TestElsewhereNamesNoField(t *testing.T) {
	for _, list := range []struct {
		hints  map[string]string
		fields []string
	}{
		{elsewhereFlavour, fieldsOf[flavourBlock]()}, {elsewhereDistribution, fieldsOf[distributionBlock]()},
		{elsewhereSource, fieldsOf[sourceBlock]()}, {elsewhereInfo, fieldsOf[infoFile]()},
	} {
		if len(list.fields) < 8 {
			t.Fatalf("the fields are %v", list.fields)
		}
		for name, hint := range list.hints {
			if name != strings.ToLower(strings.ReplaceAll(name, "_", "")) || slices.Contains(list.fields, name) || elsewhere(name, list.fields) != " "+hint {
				t.Errorf("%q is not found among what is elsewhere", name)
			}
			if meant, ok := strings.CutPrefix(hint, `Did you mean "`); ok && !slices.Contains(list.fields, strings.TrimSuffix(meant, `"?`)) {
				t.Errorf("%s: %s", name, hint)
			}
		}
	}
}
