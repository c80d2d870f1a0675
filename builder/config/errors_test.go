package config

import (
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hashicorp/hcl/v2"
)

var (
	expected = regexp.MustCompile(`# (ERROR|WARNING): (.*)$`)
	sentence = regexp.MustCompile(`[a-z/]+\.(hcl|yaml):[0-9]+`)
	// written is what a message suggests to write in HCL, as it is in YAML.
	written = strings.NewReplacer(" = true", ": true", " = {", ": {", ` = ["`, ": [", `["`, "[", `"]`, "]")
)

// errorTree builds the project of a fixture: the good features, and the
// fixture, which is a flavour file or a directory of several files.
func errorTree(t testing.TB, fixture string, isDir bool) fstest.MapFS {
	files := tree(t, "testdata/good", func(name string) bool { return strings.HasPrefix(name, "features/") })
	from := filepath.Join("testdata", "error-files", fixture)
	if isDir {
		maps.Copy(files, tree(t, from, everything))
		return files
	}
	src, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	files[path.Join("flavours", fixture)] = &fstest.MapFile{Data: src}
	return files
}

// expectations collects the comments that say which fault is on their line.
func expectations(files fstest.MapFS) map[string][]string {
	out := map[string][]string{}
	for name, f := range files {
		for i, line := range strings.Split(string(f.Data), "\n") {
			m := expected.FindStringSubmatch(line)
			if m == nil {
				continue
			}
			at := PlaceOf(hcl.Range{Filename: name, Start: hcl.Pos{Line: i + 1}})
			for text := range strings.SplitSeq(m[2], " | ") {
				out[at] = append(out[at], m[1]+": "+text)
			}
		}
	}
	return out
}

// TestErrorFiles reads every fixture in testdata/error-files and wants exactly
// the faults that the comments in it announce, each on the line of its comment.
func TestErrorFiles(t *testing.T) {
	fixtures, err := os.ReadDir("testdata/error-files")
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string][]string{}
	for _, fixture := range fixtures {
		t.Run(fixture.Name(), func(t *testing.T) {
			files := errorTree(t, fixture.Name(), fixture.IsDir())
			want := expectations(files)
			choices := map[string]map[string][]string{"image": {"formats": {"raw", "qcow2"}}}
			there := func(path string) error {
				if strings.HasPrefix(path, "missing") || path == "dokcer.asc" {
					return fs.ErrNotExist
				}
				return nil
			}
			_, diags := Load(files, Options{Choices: choices, Keyring: there, Authority: there})
			got := map[string][]string{}
			for _, d := range diags {
				severity := map[hcl.DiagnosticSeverity]string{hcl.DiagError: "ERROR: ", hcl.DiagWarning: "WARNING: "}[d.Severity]
				at := PlaceOf(*d.Subject)
				got[at] = append(got[at], severity+d.Summary+": "+d.Detail)
			}
			for at := range maps.Keys(want) {
				if !slices.Equal(got[at], want[at]) {
					t.Errorf("%s: want\n\t%s\ngot\n\t%s", at, strings.Join(want[at], "\n\t"), strings.Join(got[at], "\n\t"))
				}
			}
			for at, extra := range got {
				if want[at] == nil {
					t.Errorf("%s: unexpected %s", at, strings.Join(extra, "\n\t"))
				}
			}
			for _, d := range want {
				texts[fixture.Name()] = append(texts[fixture.Name()], d...)
			}
		})
	}
	// The same faults read the same in both syntaxes.
	for _, twin := range []string{"fields", "extends", "content", "sources"} {
		plain := func(ext string) []string {
			var out []string
			for _, s := range texts[twin+ext] {
				out = append(out, written.Replace(sentence.ReplaceAllString(s, "PLACE")))
			}
			slices.Sort(out)
			return out
		}
		if h, y := plain(".hcl"), plain(".yaml"); !slices.Equal(h, y) {
			t.Errorf("%s.hcl and %s.yaml differ:\n%s\n\n%s", twin, twin, strings.Join(h, "\n"), strings.Join(y, "\n"))
		}
	}
}

// TestDirectoryErrors covers the faults of features that no comment in a file can
// announce.
func TestDirectoryErrors(t *testing.T) {
	files := fstest.MapFS{
		"features/a/info.yaml":         {Data: []byte("type: element")},
		"features/a/exec.post":         {Data: []byte("#!/bin/sh\n"), Mode: 0o644},
		"features/a/exec.late":         {Data: []byte("#!/bin/sh\n"), Mode: 0o755},
		"features/a/exec.early/x":      {},
		"features/a/exec.confg":        {Mode: 0o755},
		"features/a/file.include":      {},
		"features/a/README.md":         {},
		"features/a/pkg.include":       {Data: []byte("a\nb\xff\n")},
		"features/b/pkg.include":       {},
		"features/.git/x":              {},
		"features/README.md":           {},
		"features/c/info.yaml/x":       {},
		"features/a/pkg.exclude":       {Mode: fs.ModeDir},
		"flavours/README.md":           {Data: []byte("{")},
		"flavours/x.lock.json":         {Data: []byte("{")},
		"flavours/.hidden.hcl":         {Data: []byte("{")},
		"flavours/directory.hcl/a.hcl": {Data: []byte("{")},
		"features/a/file.include.stt":  {},
	}
	want := []string{
		`features/a/exec.confg:1: Unknown file: A file "exec.confg" has no meaning in a feature. Did you mean "exec.config"?`,
		`features/a/exec.early:1: Not a file: exec.early is a program to be run, not a directory.`,
		`features/a/exec.post:1: Script not executable: exec.post must be executable: chmod +x features/a/exec.post`,
		`features/a/file.include:1: Not a directory: file.include is the directory of files to copy into the system.`,
		`features/a/file.include.stt:1: Unknown file: A file "file.include.stt" has no meaning in a feature. Did you mean "file.include.stat"?`,
		`features/a/pkg.exclude:1: Cannot read file: read features/a/pkg.exclude: invalid argument.`,
		`features/a/pkg.include:2: Not UTF-8: The file must be text in UTF-8; here is a byte 0xff.`,
		`features/b:1: No feature: The directory has no info.yaml, so it is not a feature and is left out.`,
		`features/c/info.yaml:1: Cannot read file: read features/c/info.yaml: invalid argument.`,
	}
	p, diags := Load(files, Options{})
	var got []string
	for _, d := range diags {
		got = append(got, PlaceOf(*d.Subject)+": "+d.Summary+": "+d.Detail)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if a := p.Features["a"]; !a.Scripts["exec.late"] || !a.Scripts["exec.post"] || p.Features["b"] != nil {
		t.Errorf("the features are %v", p.Features)
	}
}

// TestWriteDiagnostics shows what a person sees.
func TestWriteDiagnostics(t *testing.T) {
	files := errorTree(t, "extends.yaml", false)
	p, diags := Load(files, Options{})
	var b strings.Builder
	if err := WriteDiagnostics(&b, p, diags[:1], 60, false); err != nil {
		t.Fatal(err)
	}
	want := `Error: Unknown flavour

  on flavours/extends.yaml line 7:
   7:     extends: bsae # ERROR: Unknown flavour: There is no flavour "bsae" to extend. Did you mean "base"?

There is no flavour "bsae" to extend. Did you mean "base"?

`
	if b.String() != want {
		t.Errorf("got\n%s", b.String())
	}
	b.Reset()
	// Of directories, programs and the like there is no text.
	unread := hcl.Diagnostics{Fault(FileStart("d/pipe"), "Odd", "It is odd."), Fault(hcl.Range{Filename: "d/x", Start: hcl.Pos{Line: 3}}, "Odd", "It is odd.")}
	if err := WriteDiagnostics(&b, p, unread, 60, false); err != nil {
		t.Fatal(err)
	}
	if want := "Error: Odd\n\n  on d/pipe:\n\nIt is odd.\n\nError: Odd\n\n  on d/x line 3:\n\nIt is odd.\n\n"; b.String() != want {
		t.Errorf("got\n%s", b.String())
	}
}

// TestOrder reads a tree of many faults several times: decoding walks maps, and
// none of that may show.
func TestOrder(t *testing.T) {
	files := errorTree(t, "fields.yaml", false)
	var first string
	for i := range 5 {
		p, diags := Load(files, Options{})
		got := asJSON(t, p.Flavours) + diags.Error()
		var b strings.Builder
		if err := WriteDiagnostics(&b, p, diags, 0, false); err != nil {
			t.Fatal(err)
		}
		got += b.String()
		if i == 0 {
			first = got
		}
		if got != first {
			t.Fatal("two runs differ")
		}
	}
}
