package config

import (
	"fmt"
	"maps"
	"math/big"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// scope is what expressions can refer to.
type scope struct {
	ctx *hcl.EvalContext
	// lenient reports that a file could not be read, so that what is not declared
	// may be declared there.
	lenient bool
	budget  *budget
	outside *givenOutside
	// more are names beyond those in ctx that are declared, such as "local.x".
	more []string
}

// with returns a scope in which one more name is known.
func (s *scope) with(name string, values map[string]cty.Value) *scope {
	variables := maps.Clone(s.ctx.Variables)
	if variables == nil {
		variables = map[string]cty.Value{}
	}
	variables[name] = cty.ObjectVal(values)
	// No child context: HCL would not see the functions of its parent when it
	// looks for suggestions.
	return &scope{ctx: &hcl.EvalContext{Variables: variables, Functions: s.ctx.Functions}, lenient: s.lenient, budget: s.budget, outside: s.outside, more: s.more}
}

// names lists what can be referred to, such as "var.suite".
func (s *scope) names() []string {
	names := slices.Clone(s.more)
	for root, object := range s.ctx.Variables {
		if !object.Type().IsObjectType() {
			names = append(names, root)
			continue
		}
		for name := range object.Type().AttributeTypes() {
			names = append(names, root+"."+name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// value evaluates an expression. The result is unknown where faults, here or
// in what is referred to, leave it open; nothing more is to be said then.
func (s *scope) value(expr hcl.Expression) (cty.Value, hcl.Diagnostics) {
	if diags, broken := s.references(expr); broken {
		return cty.DynamicVal, diags
	}
	at := expr.Range()
	s.budget.spend(elementSize+at.End.Byte-at.Start.Byte, at)
	v, diags := expr.Value(s.ctx)
	// Also if try() has swallowed it.
	if s.budget != nil && s.budget.fault != nil {
		return cty.DynamicVal, hcl.Diagnostics{s.budget.fault}
	}
	if diags.HasErrors() {
		return cty.DynamicVal, diags
	}
	if d := s.budget.check(v, at); d != nil {
		return cty.DynamicVal, append(diags, d)
	}
	v, _ = v.UnmarkDeep()
	return v, diags
}

// references checks what an expression refers to, ahead of HCL, which knows no
// suggestions for attributes.
func (s *scope) references(expr hcl.Expression) (diags hcl.Diagnostics, broken bool) {
	var known []string
	for _, t := range expr.Variables() {
		written := t.RootName()
		if len(t) > 1 {
			if step, ok := t[1].(hcl.TraverseAttr); ok {
				written += "." + step.Name
			}
		}
		if s.knows(t) {
			continue
		}
		broken = true
		if s.lenient {
			continue
		}
		if len(diags) >= maxUnknown {
			break
		}
		if known == nil {
			known = s.names()
		}
		hint := DidYouMean(written, known)
		for _, k := range known {
			if _, name, _ := strings.Cut(k, "."); name == written {
				hint = fmt.Sprintf(" Did you mean %q?", k)
				break
			}
		}
		if hint == "" && isBareWord(expr, t) {
			hint = fmt.Sprintf(" If it is text, put it in quotes: %q.", written)
		}
		if hint == "" {
			hint = ofOthers(expr, t, known)
		}
		diags = append(diags, Fault(t.SourceRange(), "Unknown name", "The name %q is not defined here.%s", written, hint))
	}
	return diags, broken
}

// isBareWord reports that a value in HCL, or one of its elements, is one name and nothing else,
// which may be a string without its quotes.
func isBareWord(expr hcl.Expression, t hcl.Traversal) bool {
	if at := t.SourceRange(); len(t) == 1 && path.Ext(at.Filename) == ".hcl" {
		parts, _ := hcl.ExprList(expr)
		return slices.ContainsFunc(append(parts, expr), func(e hcl.Expression) bool { return e.Range() == at })
	}
	return false
}

// maxUnknown is how many unknown names of one expression are told.
const maxUnknown = 20

// knows reports whether there is what an expression refers to.
func (s *scope) knows(t hcl.Traversal) bool {
	object, ok := s.ctx.Variables[t.RootName()]
	if !ok || !object.Type().IsObjectType() {
		return ok
	}
	if len(t) > 1 {
		if step, ok := t[1].(hcl.TraverseAttr); ok {
			return object.Type().HasAttribute(step.Name)
		}
	}
	return object.LengthInt() > 0
}

// text is a string with its place. A nil *text was not written.
type text struct {
	value   string
	at      hcl.Range
	outside []string // see [Origin]
	// bad reports that something was written, and is at fault or depends on what is.
	bad bool
}

// or is what was written nearest to the flavour.
func or(own, inherited *text) *text {
	if own != nil {
		return own
	}
	return inherited
}

// indexOf is where a list has a string, or -1.
func indexOf(list []text, name string) int {
	return slices.IndexFunc(list, func(t text) bool { return t.value == name })
}

// str reads a string. As everywhere, null means "not written".
func (s *scope) str(attr stringAttr) (*text, hcl.Diagnostics) {
	if attr == nil {
		return nil, nil
	}
	t := &text{at: attr.Expr.Range(), outside: s.outside.of(attr.Expr)}
	v, diags := s.value(attr.Expr)
	switch {
	case !v.IsWhollyKnown():
		t.bad = true
	case v.IsNull():
		return nil, diags
	case v.Type() != cty.String:
		t.bad = true
		diags = append(diags, wrongType(t.at, attr.Name, "a string", v))
	default:
		t.value = v.AsString()
	}
	return t, diags
}

// boolean reads true or false; false if not written.
func (s *scope) boolean(attr boolAttr) (bool, hcl.Diagnostics) {
	if attr == nil {
		return false, nil
	}
	v, diags := s.value(attr.Expr)
	switch {
	case !v.IsWhollyKnown() || v.IsNull():
		return false, diags
	case v.Type() != cty.Bool:
		return false, append(diags, wrongType(attr.Expr.Range(), attr.Name, "true or false", v))
	}
	return v.True(), diags
}

// integer reads a whole number; nil if not written or at fault.
func (s *scope) integer(attr intAttr) (*int64, hcl.Diagnostics) {
	if attr == nil {
		return nil, nil
	}
	v, diags := s.value(attr.Expr)
	if !v.IsWhollyKnown() || v.IsNull() {
		return nil, diags
	}
	n, problem := typed(v, Int)
	if problem != "" {
		return nil, append(diags, Fault(attr.Expr.Range(), "Wrong type", "%q has to be %s", attr.Name, problem))
	}
	i := n.(int64)
	return &i, diags
}

// list reads a list of strings, each with its own place where it is written
// out. It is nil if not written, and not nil if empty. Elements at fault are
// left out; bad says that there are such.
func (s *scope) list(attr listAttr) (list []text, bad bool, diags hcl.Diagnostics) {
	if attr == nil {
		return nil, false, nil
	}
	list = []text{}
	from := s.outside.of(attr.Expr)
	add := func(v cty.Value, at hcl.Range) {
		switch {
		case !v.IsWhollyKnown():
			bad = true
		case v.IsNull() || v.Type() != cty.String:
			bad = true
			diags = append(diags, wrongType(at, "Each of "+attr.Name, "a string", v))
		default:
			list = append(list, text{value: v.AsString(), at: at, outside: from})
		}
	}
	if exprs, ds := hcl.ExprList(attr.Expr); !ds.HasErrors() {
		for _, expr := range exprs {
			v, ds := s.value(expr)
			diags = append(diags, ds...)
			add(v, expr.Range())
		}
		return list, bad, diags
	}
	at := attr.Expr.Range()
	v, diags := s.value(attr.Expr)
	switch {
	case !v.IsKnown():
		return list, true, diags
	case v.IsNull():
		return nil, false, diags
	case !isList(v):
		return list, true, append(diags, wrongType(at, attr.Name, aListOfStrings, v))
	}
	for _, element := range v.AsValueSlice() {
		add(element, at)
	}
	return list, bad, diags
}

func isList(v cty.Value) bool {
	t := v.Type()
	return t.IsTupleType() || t.IsListType() || t.IsSetType()
}

// wrongType is the fault of a value that is not what its field takes.
func wrongType(at hcl.Range, name, want string, got cty.Value) *hcl.Diagnostic {
	if !strings.Contains(name, " ") {
		name = fmt.Sprintf("%q", name)
	}
	hint := ""
	if want == "a string" && !got.IsNull() && got.Type().IsPrimitiveType() {
		hint = " Put the value in quotes."
	}
	switch want {
	case aListOfStrings:
		hint = writtenAsList(at, got)
	case aMapping:
		hint = asMapping(at, strings.Trim(name, `"`), got)
	}
	return Fault(at, "Wrong type", "%s takes %s, not %s.%s", name, want, typeName(got), hint)
}

// typeName names what a value is, in words that suit both syntaxes.
func typeName(v cty.Value) string {
	t := v.Type()
	switch {
	case v.IsNull():
		return "null"
	case t == cty.String:
		return "a string"
	case t == cty.Bool:
		return "true or false"
	case t == cty.Number:
		return "a number"
	case isList(v):
		return "a list"
	case t.IsObjectType() || t.IsMapType():
		return "a mapping"
	}
	return t.FriendlyName()
}

// typed turns a value into that of a variable or parameter: a string, bool,
// int64 or []string. What is wrong, if anything, is the end of a sentence on
// what the value should be. Values are not converted: a number in place of a
// string is most often a version that would lose its last zero.
func typed(v cty.Value, want ParameterType) (value any, problem string) {
	switch want {
	case String:
		if v.Type() == cty.String {
			return v.AsString(), ""
		}
		if v.Type().IsPrimitiveType() {
			return nil, fmt.Sprintf("a string, not %s. Put the value in quotes.", typeName(v))
		}
		return nil, fmt.Sprintf("a string, not %s.", typeName(v))
	case Bool:
		if v.Type() == cty.Bool {
			return v.True(), ""
		}
		return nil, fmt.Sprintf("true or false, not %s.", typeName(v))
	case Int:
		if v.Type() != cty.Number {
			return nil, fmt.Sprintf("a whole number, not %s.", typeName(v))
		}
		n, accuracy := v.AsBigFloat().Int64()
		if accuracy != big.Exact {
			return nil, fmt.Sprintf("a whole number of 64 bits, not %s.", v.AsBigFloat().Text('g', 10))
		}
		return n, ""
	}
	if !isList(v) {
		return nil, fmt.Sprintf("a list of strings, not %s.", typeName(v))
	}
	list := []string{}
	for _, element := range v.AsValueSlice() {
		if element.IsNull() || element.Type() != cty.String {
			return nil, fmt.Sprintf("a list of strings, but one of them is %s.", typeName(element))
		}
		list = append(list, element.AsString())
	}
	return list, ""
}

// typeOf is the parameter type that a value itself suggests.
func typeOf(v cty.Value) ParameterType {
	switch t := v.Type(); {
	case t == cty.Bool:
		return Bool
	case t == cty.Number:
		return Int
	case isList(v):
		return List
	}
	return String
}

// oneOf checks a string against the only ones allowed.
func oneOf(what string, t *text, allowed []string) hcl.Diagnostics {
	if t == nil || t.bad || slices.Contains(allowed, t.value) {
		return nil
	}
	t.bad = true
	hint := DidYouMean(t.value, allowed)
	if ours := otherNames[t.value]; slices.Contains(allowed, ours) {
		hint = fmt.Sprintf(" Did you mean %q?", ours)
	}
	return hcl.Diagnostics{Fault(t.at, "Unsupported "+what, "%q is not %s that is supported; it can be %s.%s", t.value, withArticle(what), strings.Join(allowed, ", "), hint)}
}

// otherNames are what others call what we name with one of the words allowed.
var otherNames = map[string]string{
	"x86_64": "amd64", "x86-64": "amd64", "x64": "amd64", "aarch64": "arm64",
	"text": "string", "str": "string", "boolean": "bool", "integer": "int", "number": "int", "array": "list",
}

func names(list []text) []string {
	var out []string
	for _, t := range list {
		out = append(out, t.value)
	}
	return out
}

// withArticle puts "a" or "an" before a noun.
func withArticle(noun string) string {
	if strings.ContainsRune("aeiou", rune(noun[0])) {
		return "an " + noun
	}
	return "a " + noun
}
