package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// ofOthers explains what an unknown name in a text may be for; it is empty, or a sentence
// that begins with a blank.
func ofOthers(expr hcl.Expression, t hcl.Traversal, known []string) string {
	name := t.RootName()
	inText := false
	switch unpaid(expr).(type) {
	case *hclsyntax.TemplateExpr, *hclsyntax.TemplateWrapExpr:
		inText = true
	}
	if inText && len(t) == 1 && (name == strings.ToUpper(name) || name == strings.ToLower(name)) {
		return fmt.Sprintf(" If it is meant for a shell, write $${%s}.", name)
	}
	if name == "var" && !slices.ContainsFunc(known, func(k string) bool { return strings.HasPrefix(k, "var.") }) {
		return " No variable is declared."
	}
	return ""
}
