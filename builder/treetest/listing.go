package treetest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Listing describes a tree: everything that a commit or an image would hold,
// and times.
func Listing(t testing.TB, dir string) []string {
	t.Helper()
	var lines []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		var st unix.Stat_t
		if err := unix.Lstat(path, &st); err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		content := ""
		switch st.Mode & unix.S_IFMT {
		case unix.S_IFREG:
			raw, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			sum := sha256.Sum256(raw)
			content = hex.EncodeToString(sum[:4])
		case unix.S_IFLNK:
			if content, err = os.Readlink(path); err != nil {
				return err
			}
		case unix.S_IFCHR:
			content = fmt.Sprint(st.Rdev)
		}
		lines = append(lines, fmt.Sprintf("%s %o %d:%d links=%d %d.%d %s%s", rel, st.Mode, st.Uid, st.Gid, links(&st), st.Mtim.Sec, st.Mtim.Nsec, content, xattrs(t, path)))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// links counts a file's names; a directory's say how the file system keeps it, and
// the kernel links whiteouts to each other as it pleases.
func links(st *unix.Stat_t) uint64 {
	if kind := st.Mode & unix.S_IFMT; kind == unix.S_IFDIR || kind == unix.S_IFCHR {
		return 0
	}
	return uint64(st.Nlink)
}

func xattrs(t testing.TB, path string) string {
	buf := make([]byte, 4096)
	n, err := unix.Llistxattr(path, buf)
	if err != nil {
		t.Fatal(err)
	}
	var out string
	for _, name := range slices.Sorted(slices.Values(strings.Split(strings.TrimRight(string(buf[:n]), "\x00"), "\x00"))) {
		if name == "" {
			continue
		}
		value := make([]byte, 4096)
		n, err := unix.Lgetxattr(path, name, value)
		if err != nil {
			t.Fatal(err)
		}
		out += fmt.Sprintf(" %s=%q", name, value[:n])
	}
	return out
}
