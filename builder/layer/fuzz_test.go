package layer

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// FuzzParseIndex: an index that can be read is written as one that says the same.
func FuzzParseIndex(f *testing.F) {
	f.Add(formatIndex([]entry{{mode: 0o40755, path: "."}, {mode: 0o100644, size: 3, mtime: 5, sum: "ab", xattrs: "cd", shared: true, path: "a \"b\"\n"}}))
	f.Add(formatIndex([]entry{{mode: 0o120777, path: "l", target: "a b"}, {mode: 0o100644, path: "m", first: "a"}}))
	f.Add([]byte("0 0 0 0 0 - - - \""))
	f.Fuzz(func(t *testing.T, text []byte) {
		entries, err := parseIndex(text)
		if err != nil {
			return
		}
		again, err := parseIndex(formatIndex(entries))
		if err != nil || !reflect.DeepEqual(again, entries) {
			t.Errorf("%q is read as %+v, and written as %q, %v", text, entries, formatIndex(entries), err)
		}
		parseSeen(text, entries)
	})
}

// FuzzUnpackLayer: whatever an archive says, nothing is written beside the
// directory that it is unpacked into.
func FuzzUnpackLayer(f *testing.F) {
	var good bytes.Buffer
	tw := tar.NewWriter(&good)
	for _, h := range []tar.Header{
		{Typeflag: tar.TypeDir, Name: "./", Mode: 0o755}, {Typeflag: tar.TypeDir, Name: "./d/", Mode: 0o755},
		{Typeflag: tar.TypeReg, Name: "./d/f", Mode: 0o644}, {Typeflag: tar.TypeLink, Name: "./g", Linkname: "./d/f"},
		{Typeflag: tar.TypeSymlink, Name: "./out", Linkname: "../../beside"}, {Typeflag: tar.TypeReg, Name: "./out/f"},
	} {
		h.Uid, h.Gid = os.Getuid(), os.Getgid()
		if err := tw.WriteHeader(&h); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(good.Bytes())
	f.Add(bytes.ReplaceAll(good.Bytes(), []byte("./d/f"), []byte("../df")))
	f.Fuzz(func(t *testing.T, archive []byte) {
		if len(archive) > 1<<16 {
			return
		}
		parent := t.TempDir()
		dir := filepath.Join(parent, "in")
		for _, d := range []string{dir, filepath.Join(parent, "beside")} {
			if err := os.Mkdir(d, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		_ = unpack(bytes.NewReader(archive), dir)
		for d, want := range map[string]int{parent: 2, filepath.Join(parent, "beside"): 0} {
			if got, err := os.ReadDir(d); err != nil || len(got) != want {
				t.Errorf("beside the directory is %v, %v", got, err)
			}
		}
	})
}
