package build

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/treewright/treewright/builder/config"
)

// TestFamilies: the families that a flavour may name are those that there are.
func TestFamilies(t *testing.T) {
	var schema any
	if err := json.Unmarshal(config.Schemas()["flavour.schema.json"], &schema); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range Families {
		names = append(names, f.Name())
	}
	found := allowed(schema, "family")
	slices.Sort(found)
	if found = slices.Compact(found); !slices.Equal(names, found) {
		t.Errorf("there are %q, and flavours can name %q", names, found)
	}
}

// allowed are the values that a schema allows for a property, wherever it is.
func allowed(schema any, property string) (values []string) {
	var enums func(node any)
	enums = func(node any) {
		switch n := node.(type) {
		case []any:
			for _, v := range n {
				enums(v)
			}
		case map[string]any:
			for k, v := range n {
				list, ok := v.([]any)
				if k != "enum" || !ok {
					enums(v)
					continue
				}
				for _, value := range list {
					values = append(values, value.(string))
				}
			}
		}
	}
	var find func(node any)
	find = func(node any) {
		switch n := node.(type) {
		case []any:
			for _, v := range n {
				find(v)
			}
		case map[string]any:
			for k, v := range n {
				if k == property {
					enums(v)
				}
				find(v)
			}
		}
	}
	find(schema)
	return values
}
