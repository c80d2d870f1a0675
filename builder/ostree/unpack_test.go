package ostree

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/treewright/treewright/builder/treefs"
)

func TestUnpackRefuses(t *testing.T) {
	outside := t.TempDir()
	for name, heads := range map[string][]tar.Header{
		"parent":           {{Typeflag: tar.TypeReg, Name: "../escaped"}},
		"parent inside":    {{Typeflag: tar.TypeReg, Name: "./a/../../escaped"}},
		"absolute":         {{Typeflag: tar.TypeReg, Name: outside + "/escaped"}},
		"a folder outside": {{Typeflag: tar.TypeDir, Name: "../escaped/"}},
		"a link":           {{Typeflag: tar.TypeSymlink, Name: "x", Linkname: outside}, {Typeflag: tar.TypeReg, Name: "x/escaped"}},
		"a hard link":      {{Typeflag: tar.TypeLink, Name: "x", Linkname: "/etc/passwd"}},
		"a device":         {{Typeflag: tar.TypeChar, Name: "x"}},
		"twice":            {{Typeflag: tar.TypeReg, Name: "x"}, {Typeflag: tar.TypeReg, Name: "x"}},
	} {
		var buf bytes.Buffer
		gz := gzip.NewWriter(&buf)
		tw := tar.NewWriter(gz)
		for _, h := range heads {
			h.Mode = 0o644
			if err := tw.WriteHeader(&h); err != nil {
				t.Fatal(err)
			}
		}
		if err := tw.Close(); err != nil {
			t.Fatal(err)
		}
		if err := gz.Close(); err != nil {
			t.Fatal(err)
		}
		parent := t.TempDir()
		dir := filepath.Join(parent, "in")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "x.tar.gz")
		if err := os.WriteFile(file, buf.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := unpack(file, dir, bounds{bytes: 1 << 30, entries: 1 << 20}); err == nil {
			t.Errorf("%s: no error", name)
		}
		if treefs.Exists(filepath.Join(parent, "escaped")) || treefs.Exists(filepath.Join(outside, "escaped")) {
			t.Fatalf("%s: a file landed outside", name)
		}
	}
}

func FuzzUnpack(f *testing.F) {
	var buf bytes.Buffer
	tw := tar.NewWriter(&buf)
	for _, name := range []string{"./", "./objects/aa/bb.commit", "../x"} {
		if err := tw.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644}); err != nil && name != "./" {
			f.Fatal(err)
		}
	}
	tw.Close()
	f.Add(buf.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		parent := t.TempDir()
		dir := filepath.Join(parent, "in")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(parent, "x.tar.gz")
		out, err := os.Create(file)
		if err != nil {
			t.Fatal(err)
		}
		gz := gzip.NewWriter(out)
		if _, err := io.Copy(gz, bytes.NewReader(b)); err != nil {
			t.Fatal(err)
		}
		gz.Close()
		out.Close()
		_ = unpack(file, dir, bounds{bytes: 1 << 30, entries: 1 << 20}) // only what it leaves counts
		entries, err := os.ReadDir(parent)
		if err != nil || len(entries) != 2 {
			t.Errorf("beside the folder: %v, error %v", entries, err)
		}
	})
}
