package config

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// outsideFlavour explains a name at the top of a file of flavours that belongs in a
// flavour, or is one. It is empty, or a sentence that begins with a blank.
func outsideFlavour(name string, attr *hcl.Attribute, known []string) string {
	inYAML := slices.Contains(known, "flavours")
	if !inYAML && !slices.Contains(known, "flavour") {
		return ""
	}
	fields := fieldsOf[flavourBlock]()
	if slices.Contains(fields, name) {
		if inYAML {
			return " It is a field of a flavour: write it below flavours: and the name of the flavour."
		}
		return ` It is a field of a flavour: write it in flavour "NAME" { ... }.`
	}
	if attr == nil || !inYAML {
		return ""
	}
	pairs, diags := hcl.ExprMap(attr.Expr)
	if diags.HasErrors() {
		return ""
	}
	for _, p := range pairs {
		if key, _ := p.Key.Value(nil); key.Type() == cty.String && slices.Contains(fields, key.AsString()) {
			return " It seems to be a flavour: write flavours: above it, and indent it."
		}
	}
	return ""
}
