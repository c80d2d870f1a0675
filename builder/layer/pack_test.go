package layer

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// describe lists everything of a tree that a layer must keep.
func describe(t *testing.T, dir string) string {
	t.Helper()
	var out strings.Builder
	first := map[uint64]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		var st unix.Stat_t
		if err := unix.Lstat(path, &st); err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		fmt.Fprintf(&out, "%q %o %d:%d %d.%09d dev %d", rel, st.Mode, st.Uid, st.Gid, st.Mtim.Sec, st.Mtim.Nsec, st.Rdev)
		if !d.IsDir() && ChangeOf(path) != "removes" {
			if first[st.Ino] == "" {
				first[st.Ino] = rel
			}
			fmt.Fprintf(&out, " %d links, first %q", st.Nlink, first[st.Ino])
		}
		if d.Type().IsRegular() {
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			fmt.Fprintf(&out, " %x", b)
		}
		if d.Type() == fs.ModeSymlink {
			target, _ := os.Readlink(path)
			fmt.Fprintf(&out, " -> %q", target)
		}
		records := map[string]string{}
		if err := readAttributes(path, records); err != nil {
			return err
		}
		fmt.Fprintf(&out, " %q\n", records) // fmt sorts maps
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	return out.String()
}

// TestRootPack: a layer as overlayfs leaves it, packed and unpacked, is the
// same layer.
func TestRootPack(t *testing.T) {
	private(t, func(t *testing.T) {
		dir := t.TempDir()
		low, upper, work, tree := dir+"/low", dir+"/upper", dir+"/work", dir+"/m/tree"
		for _, d := range []string{upper, work, tree} {
			must(t, os.MkdirAll(d, 0o755))
		}
		put(t, low+"/gone", "x")
		put(t, low+"/gone2", "x")
		put(t, low+"/replaced/old", "x")
		put(t, low+"/changed", "x")
		if !must(t, Mount(tree, []string{low}, upper, work)) {
			return
		}
		long := strings.Repeat("long name ", 20)
		must(t, os.Remove(tree+"/gone"))
		must(t, os.Remove(tree+"/gone2"))
		must(t, os.RemoveAll(tree+"/replaced"))
		put(t, tree+"/replaced/new", "x")
		put(t, tree+"/changed", "y")
		put(t, tree+"/"+long+"/"+long, strings.Repeat("content", 1000))
		put(t, tree+"/ünïcode", "")
		put(t, tree+"/not\xffutf8", "")
		put(t, tree+"/-a/z", "twin")
		must(t, os.Link(tree+"/-a/z", tree+"/b"))
		must(t, os.Symlink("/nowhere", tree+"/soft"))
		must(t, os.Lchown(tree+"/soft", 5, 6))
		must(t, os.Link(tree+"/soft", tree+"/soft2"))
		must(t, unix.Mkfifo(tree+"/fifo", 0o600))
		put(t, tree+"/setuid", "x")
		must(t, os.Chown(tree+"/setuid", 1234567, 7654321))
		must(t, os.Chmod(tree+"/setuid", 0o755|os.ModeSetuid|os.ModeSetgid))
		must(t, unix.Setxattr(tree+"/changed", "user.note", []byte("a=b\n\x00c"), 0))
		must(t, unix.Setxattr(tree+"/changed", "security.capability", []byte("\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), 0))
		must(t, os.Mkdir(tree+"/locked", 0o755))
		must(t, os.Chmod(tree+"/locked", os.ModeSticky))
		odd := time.Unix(1234567890, 123456789)
		must(t, os.Chtimes(tree+"/changed", odd, odd))
		must(t, os.Chtimes(tree+"/replaced", odd, odd))
		must(t, os.Chtimes(tree+"/b", time.Unix(-5, 0), time.Unix(-5, 0)))
		if !must(t, Unmount(tree)) {
			return
		}

		var first, again, second bytes.Buffer
		must(t, pack(&first, upper))
		must(t, pack(&again, upper))
		if !bytes.Equal(first.Bytes(), again.Bytes()) {
			t.Error("packed twice, the bytes differ")
		}
		to := dir + "/to"
		must(t, os.Mkdir(to, 0o700))
		if !must(t, unpack(bytes.NewReader(first.Bytes()), to)) {
			return
		}
		if a, b := describe(t, upper), describe(t, to); a != b {
			before, after := strings.Split(a, "\n"), strings.Split(b, "\n")
			for i := range min(len(before), len(after)) {
				if before[i] != after[i] {
					t.Errorf("before:\n%.500s\nafter:\n%.500s", before[i], after[i])
				}
			}
			t.Errorf("%d entries before, %d after", len(before), len(after))
		}
		must(t, pack(&second, to))
		if !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Error("packed again, the bytes differ")
		}
		// It works as a layer.
		if !must(t, Mount(tree, []string{low, to}, "", "")) {
			return
		}
		defer Unmount(tree)
		for name, want := range map[string]bool{"gone": false, "replaced/old": false, "replaced/new": true, "b": true} {
			if _, err := os.Lstat(filepath.Join(tree, name)); (err == nil) != want {
				t.Errorf("in a tree %s is there: %v", name, !want)
			}
		}
		if !strings.Contains(describe(t, to), "trusted.overlay.opaque") || ChangeOf(to+"/gone") != "removes" {
			t.Error("there was no whiteout and no opaque directory, so this shows little")
		}
	})
}

func TestUnpackRefuses(t *testing.T) {
	outside := t.TempDir()
	root := tar.Header{Typeflag: tar.TypeDir, Name: "./", Mode: 0o755}
	const below = "is not below a directory of the tarball"
	for name, tc := range map[string]struct {
		heads []tar.Header
		want  string
	}{
		"parent":                {[]tar.Header{root, {Typeflag: tar.TypeReg, Name: "../escaped"}}, below},
		"absolute":              {[]tar.Header{root, {Typeflag: tar.TypeReg, Name: outside + "/escaped"}}, below},
		"through a link":        {[]tar.Header{root, {Typeflag: tar.TypeSymlink, Name: "./x", Linkname: outside}, {Typeflag: tar.TypeReg, Name: "./x/escaped"}}, `"./x/escaped" ` + below},
		"a link as a directory": {[]tar.Header{root, {Typeflag: tar.TypeSymlink, Name: "./x", Linkname: outside}, {Typeflag: tar.TypeDir, Name: "./x/"}}, "x: file exists"},
		"a link to outside":     {[]tar.Header{root, {Typeflag: tar.TypeLink, Name: "./x", Linkname: "/etc/passwd"}}, `a link to "/etc/passwd", which ` + below},
		"a link to the parent":  {[]tar.Header{root, {Typeflag: tar.TypeLink, Name: "./x", Linkname: "../x"}}, `a link to "../x", which ` + below},
		"a file twice":          {[]tar.Header{root, {Typeflag: tar.TypeReg, Name: "./x"}, {Typeflag: tar.TypeReg, Name: "./x"}}, "x: file exists"},
		"no directory":          {[]tar.Header{root, {Typeflag: tar.TypeReg, Name: "./a/x"}}, below},
		"no root":               {[]tar.Header{{Typeflag: tar.TypeReg, Name: "./x"}}, below},
		"another type":          {[]tar.Header{root, {Typeflag: tar.TypeCont, Name: "./x"}}, "unknown type '7'"},
	} {
		var buf bytes.Buffer
		tw := tar.NewWriter(&buf)
		for _, h := range tc.heads {
			h.Uid, h.Gid = os.Getuid(), os.Getgid()
			if err := tw.WriteHeader(&h); err != nil {
				t.Fatal(err)
			}
		}
		if err := tw.Close(); err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(t.TempDir(), "in")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := unpack(&buf, dir); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, tc.want)
		}
		if _, err := os.Lstat(outside + "/escaped"); err == nil {
			t.Fatalf("%s: a file landed outside", name)
		}
		if _, err := os.Lstat(filepath.Dir(dir) + "/escaped"); err == nil {
			t.Fatalf("%s: a file landed outside", name)
		}
	}
	if err := unpack(strings.NewReader("no archive at all, "+strings.Repeat("x", 1000)), t.TempDir()); err == nil {
		t.Error("what is not an archive was unpacked")
	}
}

// TestPackSocket: a socket is unpacked as a socket, and a FIFO as a FIFO.
func TestPackSocket(t *testing.T) {
	dir, again := t.TempDir(), t.TempDir()
	var packed bytes.Buffer
	if err := errors.Join(
		unix.Mknod(filepath.Join(dir, "socket"), unix.S_IFSOCK|0o640, 0), unix.Mkfifo(filepath.Join(dir, "fifo"), 0o600), pack(&packed, dir), unpack(&packed, again),
	); err != nil {
		t.Fatal(err)
	}
	if got, want := describe(t, again), describe(t, dir); got != want || !strings.Contains(want, fmt.Sprintf("%o", unix.S_IFSOCK|0o640)) {
		t.Errorf("the unpacked files are\n%s\nwant\n%s", got, want)
	}
}

// TestUnpackedHoles: zeros in a file do not take space when it is unpacked, and all bytes are the same; a file
// that ends early is an error.
func TestUnpackedHoles(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	content := make([]byte, 8<<20+5)
	copy(content[3<<20+7:], "in the middle")
	copy(content[8<<20+1:], "end")
	must(t, os.WriteFile(filepath.Join(from, "disk"), content, 0o644))
	must(t, os.WriteFile(filepath.Join(from, "empty"), nil, 0o644))
	must(t, os.WriteFile(filepath.Join(from, "zeros"), make([]byte, 1<<20), 0o644))
	var packed bytes.Buffer
	must(t, pack(&packed, from))
	must(t, unpack(bytes.NewReader(packed.Bytes()), to))
	if got, want := describe(t, to), describe(t, from); got != want {
		t.Error("the files are not the same")
	}
	var st unix.Stat_t
	if err := unix.Stat(filepath.Join(to, "disk"), &st); err != nil || st.Blocks*512 > 1<<20 {
		t.Errorf("it takes %d bytes, error %v", st.Blocks*512, err)
	}
	if err := unpack(bytes.NewReader(packed.Bytes()[:packed.Len()/2]), t.TempDir()); err == nil {
		t.Error("half an archive is unpacked")
	}
}
