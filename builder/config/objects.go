package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// readFields takes in the fields of a parameter of type objects.
func (l *loader) readFields(p *Parameter, b *parameterBlock) {
	if p.Type == Objects && len(b.Fields) == 0 {
		l.say(Fault(b.NameRange, "No fields", "%q is of type objects, so it needs \"fields\": those that each object has, by name.", b.Name))
	}
	for _, field := range b.Fields {
		if p.Type != Objects {
			l.say(Fault(field.NameRange, "Fields without effect", "Only a parameter of type objects has fields; %q is of type %s.", b.Name, p.Type))
			return
		}
		p.Fields = append(p.Fields, l.declared(field.parameter(), "field", func(*Parameter, []text) {}))
	}
}

// objects checks a list of mappings, and returns it as []Object; nil if there is
// a fault in it.
func (l *loader) objects(p *Parameter, what string, v cty.Value, expr hcl.Expression) any {
	if !isList(v) {
		l.say(Fault(expr.Range(), "Wrong type", "%s has to be a list of mappings, not %s.", what, typeName(v)))
		return nil
	}
	before := len(l.diags)
	list := v.AsValueSlice()
	parts := elements(expr, len(list))
	objects := []Object{}
	for i, element := range list {
		at := expr
		if parts != nil {
			at = parts[i]
		}
		objects = append(objects, l.object(p, fmt.Sprintf("%s (element %d)", what, i+1), element, at))
	}
	for _, problem := range p.problems(objects) {
		l.say(Fault(expr.Range(), "Invalid value", "%s %s", what, problem.text))
	}
	if len(l.diags) > before {
		return nil
	}
	return objects
}

func (l *loader) object(p *Parameter, what string, v cty.Value, expr hcl.Expression) Object {
	if t := v.Type(); v.IsNull() || !t.IsObjectType() && !t.IsMapType() {
		l.say(Fault(expr.Range(), "Wrong type", "%s has to be a mapping with the fields %s, not %s.", what, listed(p.Fields), typeName(v)))
		return nil
	}
	object := Object{}
	written := v.AsValueMap()
	before := len(l.diags)
	keys, values := fieldPlaces(expr)
	for _, name := range slices.Sorted(maps.Keys(written)) {
		i := slices.IndexFunc(p.Fields, func(f Parameter) bool { return f.Name == name })
		if i < 0 {
			at := expr.Range()
			if key, ok := keys[name]; ok {
				at = key
			}
			l.say(Fault(at, "Unknown field", "%s has no field %q, only %s.%s", what, name, listed(p.Fields), DidYouMean(name, fieldNames(p.Fields))))
			continue
		}
		if written[name].IsNull() {
			continue // as if it were not written, here as everywhere
		}
		at := expr
		if value, ok := values[name]; ok {
			at = value
		}
		object[name] = l.value(&p.Fields[i], fmt.Sprintf("Field %q of %s", name, inSentence(what)), written[name], at, false)
	}
	for _, field := range p.Fields {
		if _, ok := object[field.Name]; ok {
			continue
		}
		if field.Required && len(l.diags) == before { // what is missing may be written wrongly
			l.say(Fault(expr.Range(), "Missing field", "%s has to have the field %q.%s", what, field.Name, field.forExample()))
		}
		object[field.Name] = field.Default
		if field.Default == nil {
			object[field.Name] = Zero(field.Type)
		}
	}
	return object
}

// Zero is what a parameter without a default is worth.
func Zero(t ParameterType) any {
	switch t {
	case Bool:
		return false
	case Int:
		return int64(0)
	case List:
		return []string{}
	case Objects:
		return []Object{}
	}
	return ""
}

// inSentence begins a title with a small letter.
func inSentence(what string) string {
	return string(what[0]|0x20) + what[1:]
}

func fieldNames(fields []Parameter) []string {
	var all []string
	for _, f := range fields {
		all = append(all, f.Name)
	}
	return all
}

// listed names fields within a sentence.
func listed(fields []Parameter) string { return strings.Join(fieldNames(fields), ", ") }

// fieldPlaces are the places of a mapping's keys, and the expressions of its
// values, where it is written out.
func fieldPlaces(expr hcl.Expression) (keys map[string]hcl.Range, values map[string]hcl.Expression) {
	keys, values = map[string]hcl.Range{}, map[string]hcl.Expression{}
	pairs, diags := hcl.ExprMap(expr)
	if diags.HasErrors() {
		return keys, values
	}
	for _, p := range pairs {
		if k, ds := p.Key.Value(nil); !ds.HasErrors() && k.IsKnown() && !k.IsNull() && k.Type() == cty.String {
			keys[k.AsString()], values[k.AsString()] = p.Key.Range(), p.Value
		}
	}
	return keys, values
}
