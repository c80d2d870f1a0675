// Package bomtest checks bills of materials in tests by the schemas of their formats.
//
// The one idea: a document is right if the schema that comes with its format accepts it.
package bomtest

import (
	"bytes"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// The schemas, by which a document is checked.
const (
	CycloneDX = "bom-1.6.schema.json"
	SPDX      = "spdx-2.3.schema.json"
)

// local finds the schemas that others refer to in testdata.
type local struct{ dir string }

// Load implements [jsonschema.URLLoader]. A schema is never downloaded.
func (l local) Load(url string) (any, error) {
	return jsonschema.FileLoader{}.Load("file://" + filepath.Join(l.dir, url[strings.LastIndexByte(url, '/')+1:]))
}

// Check returns in which way a document violates a schema, nil if it does not.
func Check(tb testing.TB, schema string, document []byte) error {
	tb.Helper()
	_, here, _, _ := runtime.Caller(0)
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(local{filepath.Join(filepath.Dir(here), "../testdata")})
	compiler.AssertFormat()
	s, err := compiler.Compile("http://schemas/" + schema)
	if err != nil {
		tb.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		return err
	}
	return s.Validate(value)
}
