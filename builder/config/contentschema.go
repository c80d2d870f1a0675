package config

import "reflect"

// content is the schema of a field of a flavour that holds a mapping; nil if its type
// is not one of those.
func (g schemaGenerator) content(t reflect.Type) *jsonSchema {
	names := func(pattern string, of *jsonSchema) *jsonSchema {
		closed := false
		return &jsonSchema{Type: []string{"object", "null"}, PatternProperties: map[string]*jsonSchema{pattern: of}, Additional: &closed}
	}
	text := &jsonSchema{Type: []string{"string", "null"}}
	switch t {
	case reflect.TypeFor[filesAttr]():
		file := &jsonSchema{AnyOf: []*jsonSchema{text, g.object(reflect.TypeFor[fileFields]())}}
		return &jsonSchema{AnyOf: []*jsonSchema{names("^/", file), text}}
	case reflect.TypeFor[unitsAttr]():
		return g.orTemplate(g.object(reflect.TypeFor[unitsFields]()))
	case reflect.TypeFor[usersAttr]():
		return g.orTemplate(names("^[a-z_][a-z0-9_-]*$", g.orTemplate(g.object(reflect.TypeFor[userFields]()))))
	case reflect.TypeFor[groupsAttr]():
		group := g.orTemplate(g.object(reflect.TypeFor[groupFields]()))
		return g.orTemplate(&jsonSchema{AnyOf: []*jsonSchema{names("^[a-z_][a-z0-9_-]*$", group), listSchema()}})
	case reflect.TypeFor[sysctlAttr]():
		return g.orTemplate(names("^[A-Za-z0-9_-]+([./][A-Za-z0-9_:@*-]+)+$", &jsonSchema{Type: []string{"string", "integer", "null"}}))
	}
	return nil
}
