package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// Facts are the names of what a template can know of a flavour, beside
// the parameters of its feature. A parameter of that name comes first.
var Facts = []string{"arch", "components", "description", "family", "features", "flavour", "mirror", "suite"}

// Render fills in a template. values are those of all names that it can mention,
// each a string, bool, int64, []string or []Object. What is at fault has its place in
// the template.
func (t *Template) Render(values map[string]any) ([]byte, hcl.Diagnostics) {
	pays := &budget{left: maxWork}
	expr, diags := parseTemplate(t.Name, t.Source, pays)
	if expr == nil || diags.HasErrors() {
		return nil, diags
	}
	variables := map[string]cty.Value{}
	for name, value := range values {
		variables[name] = known(value)
	}
	s := &scope{ctx: &hcl.EvalContext{Variables: variables, Functions: pays.functions()}, budget: pays}
	v, diags := s.value(expr)
	if diags.HasErrors() {
		return nil, withFields(diags, values)
	}
	text, err := convert.Convert(v, cty.String)
	if err != nil || text.IsNull() || !text.IsKnown() {
		return nil, hcl.Diagnostics{Fault(FileStart(t.Name), "Not text", "The template comes to %s, and a file holds text: join(), jsonencode() or a %%{ for } loop make text of it.", typeName(v))}
	}
	return []byte(text.AsString()), nil
}

func parseTemplate(name string, src []byte, pays *budget) (hclsyntax.Expression, hcl.Diagnostics) {
	tokens, _ := hclsyntax.LexTemplate(src, name, hcl.InitialPos)
	if bad := tooMuch(tokens); bad != nil {
		return nil, hcl.Diagnostics{bad}
	}
	expr, diags := hclsyntax.ParseTemplate(src, name, hcl.InitialPos)
	if !diags.HasErrors() {
		pays.guard(expr)
	}
	explainLiteral(diags, true)
	for _, d := range diags {
		// The parser names all from the beginning of the file.
		if open := unclosed(tokens); open != nil && strings.HasPrefix(d.Summary, "Unclosed template") {
			d.Subject, d.Context = open, nil
		}
	}
	return expr, diags
}

// unclosed is the first ${ or %{ that no brace closes.
func unclosed(tokens hclsyntax.Tokens) *hcl.Range {
	var open []hcl.Range
	for _, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			open = append(open, t.Range)
		case hclsyntax.TokenTemplateSeqEnd:
			open = open[:max(len(open)-1, 0)]
		}
	}
	if len(open) == 0 {
		return nil
	}
	return &open[0]
}

// known is a value of Go's as expressions have it.
func known(value any) cty.Value {
	switch x := value.(type) {
	case bool:
		return cty.BoolVal(x)
	case int64:
		return cty.NumberIntVal(x)
	case string:
		return cty.StringVal(x)
	case []string:
		list := make([]cty.Value, len(x))
		for i, s := range x {
			list[i] = cty.StringVal(s)
		}
		return cty.TupleVal(list) // as a list that is written out in a flavour
	case []Object:
		list := make([]cty.Value, len(x))
		for i, object := range x {
			fields := map[string]cty.Value{}
			for name, field := range object {
				fields[name] = known(field)
			}
			list[i] = cty.ObjectVal(fields)
		}
		return cty.TupleVal(list)
	}
	panic(fmt.Sprintf("config: a parameter is a %T", value))
}

var missingField = regexp.MustCompile(`does not have an attribute named "([^"]*)"`)

// withFields adds to faults about a field of an object which one was meant.
func withFields(diags hcl.Diagnostics, values map[string]any) hcl.Diagnostics {
	var fields []string
	for _, value := range values {
		if objects, _ := value.([]Object); len(objects) > 0 {
			for field := range objects[0] {
				fields = append(fields, field)
			}
		}
	}
	slices.Sort(fields)
	for _, d := range diags {
		if m := missingField.FindStringSubmatch(d.Detail); m != nil {
			d.Detail += DidYouMean(m[1], fields)
		}
		if strings.Contains(d.Detail, "string required") {
			d.Detail += ` join(" ", LIST), jsonencode(VALUE) or a %{ for } loop makes text of it.`
		}
	}
	return diags
}

// unknownNames finds what a template mentions and nobody knows. known are sorted.
func unknownNames(expr hclsyntax.Expression, feature string, known []string) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, t := range expr.Variables() {
		if name := t.RootName(); !slices.Contains(known, name) && len(diags) < maxUnknown {
			diags = append(diags, Fault(t.SourceRange(), "Unknown name", "%q is neither a parameter of feature %q nor a fact of the flavour (%s).%s If it is meant for the file itself, write the sign before the brace twice.",
				name, feature, strings.Join(Facts, ", "), DidYouMean(name, known)))
		}
	}
	visit(expr, func(n hclsyntax.Node) {
		if call, ok := n.(*hclsyntax.FunctionCallExpr); ok && len(diags) < maxUnknown {
			if _, there := functions[call.Name]; !there {
				diags = append(diags, Fault(call.NameRange, "Unknown function", "There is no function %q.%s", call.Name, DidYouMean(call.Name, slices.Sorted(maps.Keys(functions)))))
			}
		}
	})
	return diags
}
