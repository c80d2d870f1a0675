package treetest

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Lay makes a tree below dir, and returns dir: "dir/" is a directory, "link -> target" a link, anything else
// a file whose content is its name. A mode may follow: "file@0600".
func Lay(t testing.TB, dir string, entries ...string) string {
	t.Helper()
	for _, e := range entries {
		name, target, link := strings.Cut(e, " -> ")
		name, modeText, _ := strings.Cut(name, "@")
		mode := fs.FileMode(0o644)
		if modeText != "" {
			if _, err := fmt.Sscanf(modeText, "%o", &mode); err != nil {
				t.Fatal(err)
			}
		}
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		switch {
		case link:
			err = os.Symlink(target, path)
		case strings.HasSuffix(name, "/"):
			if modeText == "" {
				mode = 0o755
			}
			if err = os.MkdirAll(path, 0o755); err == nil {
				err = os.Chmod(path, mode)
			}
		default:
			if err = os.WriteFile(path, []byte(name), 0o644); err == nil {
				err = os.Chmod(path, mode)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Mode returns a file's mode as ls writes it.
func Mode(t testing.TB, path string) string {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().String()
}

// Content returns what a file says.
func Content(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Write makes a file with that text, and the directories above it.
func Write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// WriteAll makes files below dir: their text, by their names.
func WriteAll(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		Write(t, filepath.Join(dir, name), text)
	}
}
