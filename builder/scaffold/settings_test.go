package scaffold

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExamplesOfParameters: a new flavour sets what it has to, shows what it can,
// and what it shows can be used.
func TestExamplesOfParameters(t *testing.T) {
	tree := t.TempDir()
	dir := filepath.Join(tree, "features/base")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	info := `type: platform
parameters:
  token: {required: true, pattern: "[a-z{}$]+", example: "a${b}"}
  peers: {required: true, fields: {name: {required: true}}}
  port: {type: int, default: 1, example: 22}
  quiet: {type: bool}
`
	if err := os.WriteFile(filepath.Join(dir, "info.yaml"), []byte(info), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Flavour(tree, "mine", load(t, tree)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(tree, "flavours/mine.hcl")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := "  set \"base\" {\n    token = \"a$${b}\"\n    peers = []\n    # port = 22\n  }\n}\n"
	if !strings.HasSuffix(string(text), want) {
		t.Errorf("the flavour is\n%s", text)
	}
	used := strings.NewReplacer("# port", "port", `, "ostreeRepo", "ostreeImage"`, "").Replace(string(text))
	if err := os.WriteFile(file, []byte(used), 0o644); err != nil {
		t.Fatal(err)
	}
	settings := load(t, tree).Flavours[0].Settings
	if len(settings) != 3 || settings[0].Value != "a${b}" || settings[2].Value != int64(22) {
		t.Errorf("the settings are %+v", settings)
	}
}
