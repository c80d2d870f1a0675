package ostree

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/treefs"
)

func TestUnpackRefuses(t *testing.T) {
	outside := t.TempDir()
	for name, tc := range map[string]struct {
		heads []tar.Header
		want  string
	}{
		"parent":              {[]tar.Header{{Typeflag: tar.TypeReg, Name: "../escaped"}}, "path escapes from parent"},
		"parent inside":       {[]tar.Header{{Typeflag: tar.TypeReg, Name: "./a/../../escaped"}}, "path escapes from parent"},
		"absolute":            {[]tar.Header{{Typeflag: tar.TypeReg, Name: outside + "/escaped"}}, "path escapes from parent"},
		"a directory outside": {[]tar.Header{{Typeflag: tar.TypeDir, Name: "../escaped/"}}, "path escapes from parent"},
		"a link": {[]tar.Header{{Typeflag: tar.TypeSymlink, Name: "x", Linkname: outside}, {Typeflag: tar.TypeReg, Name: "x/escaped"}},
			"x is neither file nor directory"},
		"a hard link": {[]tar.Header{{Typeflag: tar.TypeLink, Name: "x", Linkname: "/etc/passwd"}}, "x is neither file nor directory"},
		"a device":    {[]tar.Header{{Typeflag: tar.TypeChar, Name: "x"}}, "x is neither file nor directory"},
		"twice":       {[]tar.Header{{Typeflag: tar.TypeReg, Name: "x"}, {Typeflag: tar.TypeReg, Name: "x"}}, "x: file exists"},
	} {
		var buf bytes.Buffer
		gz := gzip.NewWriter(&buf)
		tw := tar.NewWriter(gz)
		for _, h := range tc.heads {
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
		if err := unpack(file, dir, bounds{bytes: 1 << 30, entries: 1 << 20}); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, tc.want)
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
			t.Errorf("beside the directory: %v, error %v", entries, err)
		}
	})
}
