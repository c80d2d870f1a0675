package config

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hashicorp/hcl/v2"
)

// tree reads a directory of testdata into memory. Keep drops files.
func tree(t testing.TB, dir string, keep func(name string) bool) fstest.MapFS {
	t.Helper()
	m := fstest.MapFS{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !keep(name) {
			return err
		}
		src, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		m[name] = &fstest.MapFile{Data: src, Mode: info.Mode()}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func everything(string) bool { return true }

func mustLoad(t testing.TB, fsys fs.FS, opts Options) *Project {
	t.Helper()
	p, diags := Load(fsys, opts)
	if len(diags) > 0 {
		var b bytes.Buffer
		if err := WriteDiagnostics(&b, p, diags, 0, false); err != nil {
			t.Fatal(err)
		}
		t.Fatal(b.String())
	}
	return p
}

// asJSON writes a value without its ranges, which differ between syntaxes.
func asJSON(t testing.TB, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var plain any
	if err := json.Unmarshal(raw, &plain); err != nil {
		t.Fatal(err)
	}
	raw, err = json.MarshalIndent(withoutRanges(plain), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(raw) + "\n"
}

func withoutRanges(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, inner := range v {
			if strings.HasSuffix(key, "Range") || key == "Places" {
				delete(v, key)
			} else {
				v[key] = withoutRanges(inner)
			}
		}
	case []any:
		for i := range v {
			v[i] = withoutRanges(v[i])
		}
	}
	return v
}

// TestTwins reads the same flavours written in HCL and in YAML: both give the
// golden file.
func TestTwins(t *testing.T) {
	for _, ext := range []string{".hcl", ".yaml"} {
		t.Run(ext, func(t *testing.T) {
			other := map[string]string{".hcl": ".yaml", ".yaml": ".hcl"}[ext]
			fsys := tree(t, "testdata/good", func(name string) bool {
				return !strings.HasPrefix(name, "flavours/") || !strings.HasSuffix(name, other)
			})
			golden(t, "testdata/good/flavours.golden", asJSON(t, mustLoad(t, fsys, Options{}).Flavours))
		})
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test . -args -update writes it again); got:\n%s", file, got)
	}
}

func TestFeatures(t *testing.T) {
	p := mustLoad(t, tree(t, "testdata/good", func(name string) bool { return strings.HasPrefix(name, "features/") }), Options{})
	golden(t, "testdata/good/features.golden", asJSON(t, p.Features))
}

// TestLineRanges checks that a line's range is the text itself.
func TestLineRanges(t *testing.T) {
	p := mustLoad(t, tree(t, "testdata/good", func(name string) bool { return strings.HasPrefix(name, "features/") }), Options{})
	lines := p.Features["base"].Packages
	if len(lines) != 2 || lines[0].Range.Start.Line != 1 || lines[1].Range.Start.Line != 4 {
		t.Fatalf("packages are %v", lines)
	}
	for _, l := range lines {
		if got := l.Range.SliceBytes(p.Files[l.Range.Filename].Bytes); string(got) != l.Text {
			t.Errorf("the range of %q holds %q", l.Text, got)
		}
	}
}

// TestRanges checks that what is worth a message knows its place, in both
// syntaxes.
func TestRanges(t *testing.T) {
	for _, ext := range []string{".hcl", ".yaml"} {
		p := mustLoad(t, tree(t, "testdata/good", func(name string) bool {
			return strings.HasPrefix(name, "features/") || strings.HasSuffix(name, ext)
		}), Options{})
		text := func(r hcl.Range) string {
			return strings.Trim(string(r.SliceBytes(p.Files[r.Filename].Bytes)), `"`)
		}
		for _, f := range p.Flavours {
			if f.Name == "one" {
				for _, c := range []struct {
					at   hcl.Range
					want string
				}{
					{f.Range, "one"}, {f.Settings[0].FeatureRange, "base"}, {f.Settings[0].Range, "generic"},
				} {
					if got := text(c.at); got != c.want {
						t.Errorf("%s: a range holds %q, not %q", ext, got, c.want)
					}
				}
			}
			if f.Name == "child" {
				if got := text(f.Features[2].Range); got != "ostreeRepo" {
					t.Errorf("%s: the range of a feature holds %q", ext, got)
				}
			}
		}
	}
}

func TestVariables(t *testing.T) {
	files := fstest.MapFS{"flavours/a.hcl": {Data: []byte(`
variable "text" { default = "d" }
variable "flag" { type = "bool" }
variable "many" { type = "list" }
flavour "a" {
  description = "${var.text} ${var.flag} ${join("+", var.many)}"
  distribution { suite = "testing" }
  features = ["base"]
}`)}, "features/base/info.yaml": {Data: []byte("type: element")}}
	for _, c := range []struct {
		vars, env map[string]string
		want      string
	}{
		{map[string]string{"flag": "true", "many": "a, b"}, nil, "d true a+b"},
		{map[string]string{"flag": "true", "many": ""}, map[string]string{"TREEWRIGHT_VAR_text": "e", "TREEWRIGHT_VAR_flag": "false", "HOME": "/"}, "e true "},
		{map[string]string{"flag": "false", "many": "a", "text": ""}, map[string]string{"TREEWRIGHT_VAR_text": "e"}, " false a"},
	} {
		p := mustLoad(t, files, Options{Vars: c.vars, Env: c.env})
		if got := p.Flavours[0].Description; got != c.want {
			t.Errorf("with %v and %v the description is %q, not %q", c.vars, c.env, got, c.want)
		}
	}
	for _, c := range []struct {
		opts Options
		want []string
	}{
		{Options{}, []string{
			`Variable without a value: Variable "flag" has no default, so a value must be given: --var flag=VALUE, or TREEWRIGHT_VAR_flag in the environment.`,
			`Variable without a value: Variable "many" has no default, so a value must be given: --var many=VALUE, or TREEWRIGHT_VAR_many in the environment.`,
		}},
		{Options{Vars: map[string]string{"flga": "true", "flag": "yes", "many": ""}, Env: map[string]string{"TREEWRIGHT_VAR_txt": ""}}, []string{
			`Unknown variable: No flavour file declares the variable "flga" that is given a value on the command line. Did you mean "flag"?`,
			`Unknown variable: No flavour file declares the variable "txt" that the environment sets with TREEWRIGHT_VAR_txt. Did you mean "text"?`,
			`Wrong type: Variable "flag" takes a value of type bool, not "yes", which --var flag gives it.`,
		}},
	} {
		_, diags := Load(files, c.opts)
		var got []string
		for _, d := range diags {
			got = append(got, d.Summary+": "+d.Detail)
		}
		if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
			t.Errorf("%v gives\n%s", c.opts, strings.Join(got, "\n"))
		}
	}
}

func TestEmptyProject(t *testing.T) {
	if p := mustLoad(t, fstest.MapFS{}, Options{}); len(p.Flavours)+len(p.Features) != 0 {
		t.Error("an empty tree has flavours or features")
	}
}

func TestSuggest(t *testing.T) {
	names := []string{"base", "podman", "ostreeRepo", "ostreeImage", "sysext-debug"}
	for name, want := range map[string]string{
		"podmann": "podman", "pdoman": "podman", "ostreerepo": "ostreeRepo", "ostreImage": "ostreeImage",
		"debug": "", "sysext_debug": "sysext-debug", "nothing": "", "": "", "bse": "base", "x": "",
	} {
		if got := Suggest(name, names); got != want {
			t.Errorf("Suggest(%q) is %q, not %q", name, got, want)
		}
	}
}
