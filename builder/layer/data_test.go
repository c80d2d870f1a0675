package layer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"golang.org/x/sys/unix"
)

// dataOf stores a result with the record r and a file with the given content, and returns its packed data.
func dataOf(t *testing.T, s *Store, key, content string, r Result) []byte {
	t.Helper()
	at := time.Unix(1700000000, 5)
	d := begin(t, s, key)
	put(t, filepath.Join(d.Data, "dir/file"), content)
	put(t, d.Log, "the log of "+r.Step)
	for _, name := range []string{"dir/file", "dir", "."} {
		if err := os.Chtimes(filepath.Join(d.Data, name), at, at); err != nil {
			t.Fatal(err)
		}
	}
	var before bytes.Buffer
	if err := d.PackData(&before, r); err != nil {
		t.Fatal(err)
	}
	if err := d.Commit(r); err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	if err := s.PackData(&packed, key); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before.Bytes(), packed.Bytes()) {
		t.Error("the packed bytes of the draft differ from the packed bytes of the result")
	}
	return packed.Bytes()
}

const otherKey = "f123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// TestPackedData: results with equal data and different records are packed to equal bytes. Results with different data are packed to
// different bytes.
func TestPackedData(t *testing.T) {
	one, two := openTest(t), openTest(t)
	first := dataOf(t, one, testKey, "content", Result{Step: "a", Duration: time.Second, Epoch: 7})
	second := dataOf(t, two, otherKey, "content", Result{Step: "b/c", Facts: map[string]string{"k": "v"}, Warnings: []string{"w"}})
	if !bytes.Equal(first, second) {
		t.Error("equal data of two results differ")
	}
	if bytes.Equal(first, dataOf(t, two, testKey, "Content", Result{Step: "a"})) {
		t.Error("the packed bytes of different data are equal")
	}
	want, err := SumOf(func(w io.Writer) error { _, err := w.Write(first); return err })
	if err != nil || want.Size != int64(len(first)) {
		t.Fatalf("the sum is %v, error %v", want, err)
	}
	for range 2 { // the first is computed, the second is read from the file
		if got, err := one.DataSum(testKey); err != nil || got != want {
			t.Errorf("the sum is %v, want %v, error %v", got, want, err)
		}
	}
	// A damaged file is not used.
	put(t, filepath.Join(one.dir(testKey), dataSumFile), want.SHA256[:20])
	if got, err := one.DataSum(testKey); err != nil || got != want {
		t.Errorf("after damage the sum is %v, want %v, error %v", got, want, err)
	}
	put(t, filepath.Join(one.Data(testKey), "dir/file"), "damaged")
	// A store checks a result only once, so the test opens another store.
	later, err := Open(one.root)
	if err != nil {
		t.Fatal(err)
	}
	if err := later.PackData(io.Discard, testKey); err == nil {
		t.Error("a damaged result is packed")
	}
}

// TestFill: a draft that was filled becomes the same result under any key. A draft that could not be filled is empty, as before.
func TestFill(t *testing.T) {
	r := Result{Step: "a", Epoch: 7, Files: []File{{Name: "file", Path: "dir/file", Size: 7, SHA256: hashBytes([]byte("content"))}}}
	s, there := openTest(t), openTest(t)
	packed := dataOf(t, s, testKey, "content", r)
	d := begin(t, there, testKey)
	for what, from := range map[string]io.Reader{
		"half":          bytes.NewReader(packed[:len(packed)/2]),
		"no bytes":      strings.NewReader(""),
		"other content": bytes.NewReader(bytes.Replace(packed, []byte("content"), []byte("Content"), 1)),
		"another name":  bytes.NewReader(bytes.Replace(packed, []byte("./data/dir/file"), []byte("./data/dir/flie"), 1)),
		"more":          io.MultiReader(bytes.NewReader(packed), strings.NewReader("more")),
		"an error":      io.MultiReader(bytes.NewReader(packed[:2000]), iotest.ErrReader(unix.ECONNRESET)),
		"a late error":  io.MultiReader(bytes.NewReader(packed), iotest.ErrReader(unix.ECONNRESET)),
	} {
		if err := d.Fill(from, r); err == nil {
			t.Errorf("%s: the draft is filled", what)
		}
		if left := names(t, d.Data); len(left) > 0 {
			t.Errorf("%s: the draft has %v", what, left)
		}
	}
	other := r
	other.Files = []File{{Name: "file", Path: "dir/file", Size: 7, SHA256: hashBytes([]byte("Content"))}}
	if err := d.Fill(bytes.NewReader(packed), other); err == nil {
		t.Error("a draft is filled although its record has another artifact")
	}
	if err := d.Fill(bytes.NewReader(packed), r); err != nil {
		t.Fatal(err)
	}
	if _, err := there.PutAs(d, otherKey, r); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := there.Get(testKey); ok || err != nil {
		t.Errorf("the store has a result with the first key: %v, error %v", ok, err)
	}
	if got, want := describe(t, there.Data(otherKey)), describe(t, s.Data(testKey)); got != want {
		t.Errorf("the data are\n%s\nwant\n%s", got, want)
	}
	if err := there.Check(otherKey); err != nil {
		t.Error(err)
	}
	var again bytes.Buffer
	if err := there.PackData(&again, otherKey); err != nil || !bytes.Equal(again.Bytes(), packed) {
		t.Errorf("packed again, the bytes differ, error %v", err)
	}
}

// TestPackFiles: sources are packed with names, modes and contents, and without owners, times, attributes and hard links.
func TestPackFiles(t *testing.T) {
	lay := func(at time.Time) string {
		dir := filepath.Join(t.TempDir(), "source")
		put(t, dir+"/sub/script", "#!/bin/sh\n")
		put(t, dir+"/file", "same")
		put(t, dir+"/twin", "same")
		if err := errors.Join(os.Chmod(dir+"/sub/script", 0o755), os.Symlink("sub/script", dir+"/link"), os.Chtimes(dir+"/file", at, at), os.Chtimes(dir, at, at)); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	one, two := lay(time.Unix(1, 2)), lay(time.Unix(3, 4))
	// The files of snapshots can be hard links.
	if err := errors.Join(os.Remove(two+"/twin"), os.Link(two+"/file", two+"/twin"), unix.Setxattr(two+"/file", "user.note", []byte("x"), 0)); err != nil {
		t.Fatal(err)
	}
	var first, second bytes.Buffer
	if err := errors.Join(PackFiles(&first, one), PackFiles(&second, two)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("the same files are packed to other bytes")
	}
	to := filepath.Join(t.TempDir(), "to")
	if err := UnpackFiles(bytes.NewReader(first.Bytes()), to); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(to + "/link")
	if err != nil || info.Mode().Perm() != 0o755 || get(t, to+"/link") != "#!/bin/sh\n" || get(t, to+"/twin") != "same" {
		t.Errorf("the unpacked script is %v, error %v", info, err)
	}
	if err := UnpackFiles(bytes.NewReader(first.Bytes()), to); err == nil {
		t.Error("UnpackFiles accepts a directory that exists")
	}
	if err := UnpackFiles(bytes.NewReader(first.Bytes()[:first.Len()/2]), to+"-half"); err == nil {
		t.Error("UnpackFiles accepts half of the archive")
	}
	if err := os.Chmod(one+"/sub/script", 0o644); err != nil {
		t.Fatal(err)
	}
	second.Reset()
	if err := PackFiles(&second, one); err != nil || bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Errorf("another mode does not change the packed bytes, error %v", err)
	}
}

// TestRootMountTwice: Mount accepts the same layer twice. The upper copy hides the changes of the layers between, as an equal layer does.
func TestRootMountTwice(t *testing.T) {
	private(t, func(t *testing.T) {
		dir := t.TempDir()
		target := dir + "/m/tree"
		must(t, os.MkdirAll(target, 0o755))
		layers := []string{dir + "/a", dir + "/b", dir + "/a"}
		// The layers a and equal have the same files.
		for _, l := range []string{dir + "/a", dir + "/equal"} {
			put(t, l+"/removed", "a")
			put(t, l+"/changed", "a")
			put(t, l+"/opaque/a", "a")
			must(t, unix.Mknod(l+"/gone", unix.S_IFCHR, 0))
		}
		put(t, dir+"/b/changed", "b")
		put(t, dir+"/b/gone", "b")
		put(t, dir+"/b/new", "b")
		put(t, dir+"/b/opaque/b", "b")
		must(t, unix.Setxattr(dir+"/b/opaque", "trusted.overlay.opaque", []byte("y"), 0))
		must(t, unix.Mknod(dir+"/b/removed", unix.S_IFCHR, 0))
		seen := func(lowers []string) string {
			if !must(t, Mount(target, lowers, "", "")) {
				return ""
			}
			defer Unmount(target)
			var all []string
			for _, name := range []string{"removed", "changed", "gone", "new", "opaque/a", "opaque/b"} {
				text, err := os.ReadFile(filepath.Join(target, name))
				if err != nil {
					text = []byte("missing")
				}
				all = append(all, name+" "+string(text))
			}
			return strings.Join(all, ", ")
		}
		want := seen([]string{dir + "/equal", dir + "/b", dir + "/a"})
		if got := seen(layers); got != want || want != "removed a, changed a, gone missing, new b, opaque/a a, opaque/b b" {
			t.Errorf("the tree has %s, with equal layers %s", got, want)
		}
		if got := seen([]string{dir + "/b", dir + "/b"}); !strings.Contains(got, "changed b") {
			t.Errorf("with one layer twice, the tree has %s", got)
		}
	})
}

// TestPackFormat: a DataSum with another packFormat is not used. If the second part of the test fails, change packFormat.
func TestPackFormat(t *testing.T) {
	s := openTest(t)
	packed := dataOf(t, s, testKey, "content", Result{})
	file := filepath.Join(s.dir(testKey), dataSumFile)
	for _, other := range []string{strings.Repeat("0", 64) + " 7\n", fmt.Sprintf("%d %064d 7\n", packFormat-1, 0), fmt.Sprintf("%d %064d 7\n", packFormat+1, 0)} {
		put(t, file, other)
		if got, err := s.DataSum(testKey); err != nil || got.Size != int64(len(packed)) {
			t.Errorf("with %q, the DataSum is %v, error %v", other, got, err)
		}
	}

	dir := t.TempDir()
	put(t, filepath.Join(dir, "dir/file"), "content")
	must(t, errors.Join(
		os.Chmod(dir, 0o755), os.Chmod(filepath.Join(dir, "dir"), 0o750), os.Chmod(filepath.Join(dir, "dir/file"), 0o644),
		os.Symlink("file", filepath.Join(dir, "dir/link")), unix.Mkfifo(filepath.Join(dir, "fifo"), 0o600), unix.Mknod(filepath.Join(dir, "socket"), unix.S_IFSOCK|0o600, 0),
		os.WriteFile(filepath.Join(dir, "sparse"), nil, 0o600), os.Truncate(filepath.Join(dir, "sparse"), 5<<20),
	))
	const want = "415b8b2139194e57c5b21ff03381fee44988508011bdd58e32a1f67b21a92497"
	if got, err := SumOf(func(w io.Writer) error { return PackFiles(w, dir) }); err != nil || got.SHA256 != want {
		t.Errorf("the packed bytes of files have changed to %s, error %v: change packFormat and this test", got.SHA256, err)
	}
}
