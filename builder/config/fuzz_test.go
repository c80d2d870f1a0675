package config

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hashicorp/hcl/v2"
)

// seed adds the files of a pattern below testdata to a fuzz corpus.
func seed(f *testing.F, pattern string) {
	f.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(names) == 0 {
		f.Fatalf("no seeds for %s: %v", pattern, err)
	}
	for _, name := range names {
		src, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
}

// fuzzLoad reads a project with one file of arbitrary content. Whatever it
// holds, the places in messages must be in it, or writing them out would fail.
func fuzzLoad(t *testing.T, name string, src []byte) {
	p, diags := Load(fstest.MapFS{
		"features/base/info.yaml": {Data: []byte("{type: element, parameters: {kernel: {default: cloud}, docs: {default: false}}}")},
		name:                      {Data: src},
	}, Options{})
	for _, d := range diags {
		if d.Subject != nil {
			checkRange(t, *d.Subject, p.Files[d.Subject.Filename])
		}
	}
	if err := WriteDiagnostics(io.Discard, p, diags, 80, true); err != nil {
		t.Fatal(err)
	}
	for _, f := range p.Flavours {
		checkRange(t, f.Range, p.Files[f.Range.Filename])
	}
}

func checkRange(t *testing.T, r hcl.Range, file *hcl.File) {
	t.Helper()
	if file != nil && (r.Start.Byte < 0 || r.Start.Byte > r.End.Byte || r.End.Byte > len(file.Bytes)) {
		t.Errorf("the range %v is outside its file of %d bytes", r, len(file.Bytes))
	}
}

func FuzzYAMLBody(f *testing.F) {
	seed(f, "good/flavours/*.yaml")
	seed(f, "error-files/*.yaml")
	f.Add([]byte("flavours: &a [*a]"))
	f.Add([]byte("flavours:\r\n  a: {description: |-\r  x ${ }"))
	f.Fuzz(func(t *testing.T, src []byte) { fuzzLoad(t, "flavours/fuzz.yaml", src) })
}

func FuzzFlavourHCL(f *testing.F) {
	seed(f, "good/flavours/*.hcl")
	seed(f, "error-files/*.hcl")
	f.Fuzz(func(t *testing.T, src []byte) { fuzzLoad(t, "flavours/fuzz.hcl", src) })
}

func FuzzInfoYAML(f *testing.F) {
	seed(f, "good/features/*/info.yaml")
	seed(f, "error-files/info/features/*/info.yaml")
	f.Fuzz(func(t *testing.T, src []byte) { fuzzLoad(t, "features/fuzz/info.yaml", src) })
}

func FuzzList(f *testing.F) {
	seed(f, "good/features/*/pkg.include")
	f.Add([]byte("a\r\n#b\r\n\u2028c # d\n\v"))
	f.Fuzz(func(t *testing.T, src []byte) {
		for _, line := range ParseList("list", src) {
			if line.Text == "" || strings.ContainsAny(line.Text, "#\n") {
				t.Errorf("%q is not an entry", line.Text)
			}
			if got := string(line.Range.SliceBytes(src)); got != line.Text {
				t.Errorf("the range of %q holds %q", line.Text, got)
			}
		}
	})
}

// BenchmarkLoad reads a project of 100 features and 20 flavours; it has to take
// milliseconds, since every command begins with it.
func BenchmarkLoad(b *testing.B) {
	dir := b.TempDir()
	write := func(name, text string, mode os.FileMode) {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), mode); err != nil {
			b.Fatal(err)
		}
	}
	info, err := os.ReadFile("testdata/good/features/base/info.yaml")
	if err != nil {
		b.Fatal(err)
	}
	for i := range 100 {
		feature := fmt.Sprintf("features/f%d/", i)
		write(feature+"info.yaml", string(info), 0o644)
		write(feature+"pkg.include", strings.Repeat("package # why\n", 20), 0o644)
		write(feature+"exec.config", "#!/bin/sh\n", 0o755)
	}
	for i := range 20 {
		write(fmt.Sprintf("flavours/h%d.hcl", i), fmt.Sprintf(`flavour "h%d" {
  distribution { suite = "testing" }
  features = ["f1", "f2", "f3"]
  set "f1" { kernel = "generic" }
}`, i), 0o644)
		write(fmt.Sprintf("flavours/y%d.yaml", i), fmt.Sprintf("flavours: {y%d: {extends: h%d, matrix: {arch: [amd64, arm64]}, name: 'y%d-${matrix.arch}'}}", i, i, i), 0o644)
	}
	fsys := os.DirFS(dir)
	for b.Loop() {
		if p := mustLoad(b, fsys, Options{}); len(p.Features) != 100 || len(p.Flavours) != 60 {
			b.Fatalf("%d features and %d flavours", len(p.Features), len(p.Flavours))
		}
	}
}
