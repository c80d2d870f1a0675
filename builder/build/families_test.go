package build

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/treetest"
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

// TestDatabasePlaces: a feature's file in the package database of a family is a
// fault.
func TestDatabasePlaces(t *testing.T) {
	for _, f := range Families {
		for _, dir := range []string{f.Database().Dir(), f.Database().CommittedDir()} {
			tree := treetest.Lay(t, t.TempDir(), "flavours/", "features/x/file.include/"+dir+"/file")
			treetest.Write(t, filepath.Join(tree, "features/x/info.yaml"), "description: x\ntype: element\n")
			b, err := Open(Options{Tree: tree})
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = b.Load()
			var faults *diag.Faults
			if !errors.As(err, &faults) || len(faults.List) != 1 || !strings.Contains(faults.List[0].Detail, "package database") {
				t.Errorf("a file in %s: %v", dir, err)
			}
		}
	}
}
