package config

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

var update = flag.Bool("update", false, "write golden files and schema/ again")

func TestSchemas(t *testing.T) {
	for name, want := range Schemas() {
		file := filepath.Join("..", "..", "schema", name)
		if *update {
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is stale: run go generate ./builder/config", file)
		}
	}
}

// TestSchemaDocs keeps every field described, in the words of an editor's hint.
func TestSchemaDocs(t *testing.T) {
	var walk func(path string, s *jsonSchema)
	walk = func(path string, s *jsonSchema) {
		for name, p := range s.Properties {
			if p.Description == "" {
				t.Errorf("%s/%s has no doc tag", path, name)
			}
			walk(path+"/"+name, p)
		}
		for _, p := range s.PatternProperties {
			walk(path, p)
		}
	}
	walk("flavour", schemaGenerator{}.object(reflect.TypeFor[flavourFile]()))
	walk("info", schemaGenerator{}.object(reflect.TypeFor[infoFile]()))
}

// TestSchemaAgrees holds the schemas against files that Load accepts, and
// against ones it rejects for their form.
func TestSchemaAgrees(t *testing.T) {
	good, _ := filepath.Glob("../../features/*/info.yaml")
	for _, dir := range []string{"../../flavours", "testdata/good/flavours"} {
		files, _ := filepath.Glob(dir + "/*.yaml")
		good = append(good, files...)
	}
	more, _ := filepath.Glob("testdata/good/features/*/info.yaml")
	good = append(good, more...)
	for _, file := range good {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if problems := validate(t, schemaFor(file), src); len(problems) > 0 {
			t.Errorf("%s: the schema rejects what Load accepts: %s", file, strings.Join(problems, "; "))
		}
	}
	for src, want := range map[string]string{
		"flavours: {a: {featurs: [base]}}":                 "/flavours/a/featurs is unknown",
		"flavours: {a: {features: base}}":                  "/flavours/a/features matches nothing",
		"flavours: {a: {distribution: {arch: i386}}}":      "/flavours/a/distribution/arch matches nothing",
		"flavours: {-: {}}":                                "/flavours/- is unknown",
		"flavour: {}":                                      "/flavour is unknown",
		"flavours: {a: {description: 5}}":                  "/flavours/a/description has the wrong type",
		"flavours: {a: {set: {base: {kernel: {a: true}}}}": "/flavours/a/set/base/kernel has the wrong type",
	} {
		if got := validate(t, "flavour.schema.json", []byte(src+strings.Repeat("}", strings.Count(src, "{")-strings.Count(src, "}")))); !slices.Contains(got, want) {
			t.Errorf("%s: the schema says %q, not %q", src, got, want)
		}
	}
	if got := validate(t, "info.schema.json", []byte("description: x")); !slices.Contains(got, "/type is missing") {
		t.Errorf("info.yaml without a type: the schema says %q", got)
	}
}

func schemaFor(file string) string {
	if filepath.Base(file) == "info.yaml" {
		return "info.schema.json"
	}
	return "flavour.schema.json"
}

func validate(t *testing.T, schema string, src []byte) []string {
	t.Helper()
	var s, v any
	if err := json.Unmarshal(Schemas()[schema], &s); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(src, &v); err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	return problems("", s.(map[string]any), v)
}

// problems is a validator for the parts of JSON Schema that we use.
func problems(at string, s map[string]any, v any) []string {
	var out []string
	if want := asList(s["type"]); want != nil && !slices.Contains(want, any(typeIn(v))) {
		return []string{at + " has the wrong type"}
	}
	if any := asList(s["anyOf"]); any != nil && !slices.ContainsFunc(any, func(alt interface{}) bool {
		return len(problems(at, alt.(map[string]interface{}), v)) == 0
	}) {
		return []string{at + " matches nothing"}
	}
	switch v := v.(type) {
	case string:
		if enum := asList(s["enum"]); enum != nil && !slices.Contains(enum, any(v)) {
			out = append(out, at+" is not allowed")
		}
		if p, ok := s["pattern"].(string); ok && !regexp.MustCompile(p).MatchString(v) {
			out = append(out, at+" does not match")
		}
	case []any:
		if items, ok := s["items"].(map[string]any); ok {
			for i, e := range v {
				out = append(out, problems(fmt.Sprintf("%s/%d", at, i), items, e)...)
			}
		}
	case map[string]any:
		for _, name := range asList(s["required"]) {
			if _, ok := v[name.(string)]; !ok {
				out = append(out, at+"/"+name.(string)+" is missing")
			}
		}
		for name, e := range v {
			sub, ok := property(s, name)
			if !ok && s["additionalProperties"] == false {
				out = append(out, at+"/"+name+" is unknown")
			}
			out = append(out, problems(at+"/"+name, sub, e)...)
		}
	}
	return out
}

func property(s map[string]any, name string) (map[string]any, bool) {
	if p, ok := s["properties"].(map[string]any); ok && p[name] != nil {
		return p[name].(map[string]any), true
	}
	if patterns, ok := s["patternProperties"].(map[string]any); ok {
		for p, sub := range patterns {
			if regexp.MustCompile(p).MatchString(name) {
				return sub.(map[string]any), true
			}
		}
	}
	return nil, false
}

func asList(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}

func typeIn(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "string"
	case bool:
		return "boolean"
	case int:
		return "integer"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	}
	return "number"
}
