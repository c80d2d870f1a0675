package config

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// fields takes a mapping apart, each entry with its own place where the mapping is
// written out; else with that of the whole. Entries that are null are left out. False
// means that the value is not a mapping, which is reported.
func (l *loader) fields(s *scope, attr *hcl.Attribute) ([]*hcl.Attribute, bool) {
	pairs, diags := hcl.ExprMap(attr.Expr)
	if diags.HasErrors() {
		return l.computed(s, attr)
	}
	var out []*hcl.Attribute
	first := map[string]hcl.Range{}
	for _, p := range pairs {
		key, diags := s.value(p.Key)
		l.say(diags...)
		at := p.Key.Range()
		if !key.IsWhollyKnown() {
			continue
		}
		if key.IsNull() || key.Type() != cty.String {
			l.say(wrongType(at, "A key", "a string", key))
			continue
		}
		name := key.AsString()
		if before, again := first[name]; again {
			l.say(duplicateField(name, before, at))
			continue
		}
		first[name] = at
		if isNullExpr(p.Value) {
			continue
		}
		out = append(out, &hcl.Attribute{Name: name, NameRange: at, Expr: p.Value, Range: hcl.RangeBetween(at, p.Value.Range())})
	}
	return out, true
}

// isNullExpr reports whether an expression is a written null.
func isNullExpr(expr hcl.Expression) bool {
	if len(expr.Variables()) > 0 {
		return false
	}
	v, diags := expr.Value(nil)
	return !diags.HasErrors() && v.IsWhollyKnown() && v.IsNull()
}

// computed is [loader.fields] of a mapping that an expression gives.
func (l *loader) computed(s *scope, attr *hcl.Attribute) ([]*hcl.Attribute, bool) {
	at := attr.Expr.Range()
	v, diags := s.value(attr.Expr)
	l.say(diags...)
	switch {
	case !v.IsKnown() || v.IsNull():
		return nil, true
	case !v.Type().IsObjectType() && !v.Type().IsMapType():
		l.say(wrongType(at, attr.Name, aMapping, v))
		return nil, false
	}
	var out []*hcl.Attribute
	values := v.AsValueMap()
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !values[name].IsNull() {
			out = append(out, &hcl.Attribute{Name: name, NameRange: at, Expr: hcl.StaticExpr(values[name], at), Range: at})
		}
	}
	return out, true
}

// object takes a mapping with the fields of a struct of language.go apart. False means
// that it is not one.
func object[Fields any](l *loader, s *scope, attr *hcl.Attribute) (f Fields, ok bool) {
	entries, ok := l.fields(s, attr)
	if !ok {
		return f, false
	}
	v := reflect.ValueOf(&f).Elem()
	index := map[string]int{}
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("hcl"), ",")
		index[name] = i
	}
	for _, e := range entries {
		i, known := index[e.Name]
		if !known {
			l.say(Fault(e.NameRange, "Unknown field", "There is no field %q here.%s", e.Name, DidYouMean(e.Name, slices.Sorted(maps.Keys(index)))))
			continue
		}
		v.Field(i).Set(reflect.ValueOf(e).Convert(v.Field(i).Type()))
	}
	return f, true
}

// valueOf evaluates a field that can hold values of several types. What is unknown has
// been reported.
func (l *loader) valueOf(s *scope, attr *hcl.Attribute) cty.Value {
	v, diags := s.value(attr.Expr)
	l.say(diags...)
	return v
}

// isMapping reports whether a field is a mapping, as far as can be told before the values
// in it are looked at.
func (l *loader) isMapping(s *scope, attr *hcl.Attribute) bool {
	if _, diags := hcl.ExprMap(attr.Expr); !diags.HasErrors() {
		return true
	}
	v, _ := s.value(attr.Expr)
	return v.IsKnown() && !v.IsNull() && (v.Type().IsObjectType() || v.Type().IsMapType())
}

// textOf reads a string field; nil if it is not written or at fault.
func (l *loader) textOf(s *scope, attr stringAttr) *text {
	t, diags := s.str(attr)
	l.say(diags...)
	if t == nil || t.bad {
		return nil
	}
	return t
}

// textsOf reads a list of strings; nil if it is not written.
func (l *loader) textsOf(s *scope, attr listAttr) []text {
	list, _, diags := s.list(attr)
	l.say(diags...)
	return list
}

// boolOf reads true or false.
func (l *loader) boolOf(s *scope, attr boolAttr) bool {
	b, diags := s.boolean(attr)
	l.say(diags...)
	return b
}

// line is a text as a line of a list file would be, so that faults within it have
// their place. Where the text is not written out, its range is longer or shorter.
func (l *loader) line(t text) Line {
	at := t.at
	if file := l.project.Files[at.Filename]; file != nil && at.End.Byte <= len(file.Bytes) && string(file.Bytes[at.Start.Byte:at.End.Byte]) == `"`+t.value+`"` {
		at.Start.Byte++
		at.Start.Column++
		at.End.Byte--
		at.End.Column--
	}
	return Line{Text: t.value, Range: at}
}
