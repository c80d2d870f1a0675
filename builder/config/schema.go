package config

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

//go:generate go test -run ^TestSchemas$ . -args -update

// jsonSchema is as much of JSON Schema (draft 7, which editors know best) as
// the language needs.
type jsonSchema struct {
	Schema            string                 `json:"$schema,omitempty"`
	ID                string                 `json:"$id,omitempty"`
	Title             string                 `json:"title,omitempty"`
	Description       string                 `json:"description,omitempty"`
	Type              any                    `json:"type,omitempty"`
	Enum              []string               `json:"enum,omitempty"`
	Pattern           string                 `json:"pattern,omitempty"`
	Default           any                    `json:"default,omitempty"`
	Items             *jsonSchema            `json:"items,omitempty"`
	Properties        map[string]*jsonSchema `json:"properties,omitempty"`
	PatternProperties map[string]*jsonSchema `json:"patternProperties,omitempty"`
	Additional        *bool                  `json:"additionalProperties,omitempty"`
	Required          []string               `json:"required,omitempty"`
	AnyOf             []*jsonSchema          `json:"anyOf,omitempty"`
}

// Schemas returns the JSON Schemas of the YAML files people write, by file
// name: flavour.schema.json, info.schema.json and treewright.schema.json. They are made of the structs
// that the files are decoded into.
func Schemas() map[string][]byte {
	flavour := schemaGenerator{templates: true}.object(reflect.TypeFor[flavourFile]())
	flavour.ID, flavour.Title = "flavour.schema.json", "Treewright flavours"
	flavour.Description = "A file in flavours/, in its YAML form. A string may hold ${...}, an expression as in HCL."
	info := schemaGenerator{}.object(reflect.TypeFor[infoFile]())
	info.ID, info.Title = "info.schema.json", "Treewright feature"
	info.Description = "The info.yaml of a directory in features/."
	info.Properties["publishing_group"] = &jsonSchema{Description: "Used by Garden Linux; ignored here."}

	tree := schemaGenerator{}.object(reflect.TypeFor[treeFile]())
	tree.ID, tree.Title = "treewright.schema.json", "Treewright tree"
	tree.Description = "The treewright.yaml in the directory of a configuration tree."

	files := map[string][]byte{}
	for _, s := range []*jsonSchema{flavour, info, tree} {
		s.Schema = "http://json-schema.org/draft-07/schema#"
		s.PatternProperties = map[string]*jsonSchema{"^x-": {Description: "For other programs that read the file; ignored."}}
		var b strings.Builder
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(s); err != nil {
			panic(fmt.Sprintf("config: %s: %v", s.ID, err)) // there is nothing in it that JSON cannot hold
		}
		files[s.ID] = []byte(b.String())
	}
	return files
}

// schemaGenerator turns structs of language.go into schemas.
type schemaGenerator struct {
	// templates reports that a string can be given for any value, if it holds an
	// expression.
	templates bool
}

var (
	bodyAttrs  = reflect.TypeFor[hcl.Attributes]()
	kindString = reflect.TypeFor[stringAttr]()
	kindBool   = reflect.TypeFor[boolAttr]()
	kindList   = reflect.TypeFor[listAttr]()
	kindInt    = reflect.TypeFor[intAttr]()
	kindMatrix = reflect.TypeFor[matrixAttr]()
	kindValue  = reflect.TypeFor[valueAttr]()
)

// object is the schema of a body. An empty value means an empty mapping.
func (g schemaGenerator) object(t reflect.Type) *jsonSchema {
	closed := false
	s := &jsonSchema{Type: []string{"object", "null"}, Properties: map[string]*jsonSchema{}, Additional: &closed}
	for i := range t.NumField() {
		f := t.Field(i)
		name, kind, _ := strings.Cut(f.Tag.Get("hcl"), ",")
		if plural := f.Tag.Get("yaml"); plural != "" {
			name = plural
		}
		switch {
		case f.Type == bodyAttrs:
			s.PatternProperties = map[string]*jsonSchema{f.Tag.Get("names"): g.value()}
		case kind == "block":
			s.Properties[name] = g.block(f)
		case kind == "optional":
			s.Properties[name] = g.attribute(f)
		default:
			continue
		}
		if f.Tag.Get("required") != "" {
			s.Required = append(s.Required, name)
		}
	}
	if len(s.Required) > 0 {
		s.Type = "object"
	}
	return s
}

// block is the schema of a block: of its body, or, if it has a label, of a
// mapping of labels to bodies.
func (g schemaGenerator) block(f reflect.StructField) *jsonSchema {
	t := f.Type
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	s := g.object(t)
	if f.Tag.Get("names") != "" {
		s = &jsonSchema{
			Type: []string{"object", "null"}, Additional: s.Additional,
			PatternProperties: map[string]*jsonSchema{f.Tag.Get("names"): s},
		}
	}
	s.Description = f.Tag.Get("doc")
	return s
}

func (g schemaGenerator) attribute(f reflect.StructField) *jsonSchema {
	var s *jsonSchema
	switch f.Type {
	case kindString:
		s = &jsonSchema{Type: "string", Pattern: f.Tag.Get("pattern")}
		if enum := f.Tag.Get("enum"); enum != "" {
			s.Enum = strings.Split(enum, ",")
		}
		if s.Enum != nil || s.Pattern != "" {
			s = g.orTemplate(s)
		}
	case kindBool:
		s = g.orTemplate(&jsonSchema{Type: "boolean"})
	case kindInt:
		s = g.orTemplate(&jsonSchema{Type: "integer"})
	case kindList:
		s = g.orTemplate(listSchema())
	case kindMatrix:
		s = g.orTemplate(&jsonSchema{Type: "object", PatternProperties: map[string]*jsonSchema{"": g.orTemplate(listSchema())}})
	case kindValue:
		s = g.value()
	default:
		if s = g.content(f.Type); s != nil {
			break
		}
		panic("config: no schema for the type of " + f.Name)
	}
	s.Description = f.Tag.Get("doc")
	if d := f.Tag.Get("default"); d != "" {
		s.Default = d
		switch f.Type {
		case kindBool:
			s.Default = d == "true"
		case kindList:
			s.Default = []string{d}
		case kindInt:
			s.Default = json.Number(d)
		}
	}
	return s
}

// value is the schema of what a variable or parameter can be worth.
func (g schemaGenerator) value() *jsonSchema {
	return &jsonSchema{Type: []string{"string", "boolean", "integer", "array", "null"}, Items: &jsonSchema{Type: []string{"string", "object"}}}
}

func listSchema() *jsonSchema {
	return &jsonSchema{Type: []string{"array", "null"}, Items: &jsonSchema{Type: "string"}}
}

// orTemplate lets a string with an expression be the value.
func (g schemaGenerator) orTemplate(s *jsonSchema) *jsonSchema {
	if !g.templates {
		return s
	}
	return &jsonSchema{AnyOf: []*jsonSchema{s, {Type: "string", Pattern: `[$%]\{`}}}
}
