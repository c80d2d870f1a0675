package scaffold

import (
	"bytes"
	"embed"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/diag"
)

//go:embed all:tree
var example embed.FS

// commitLine is the line of CI's recipes that says which Treewright they build.
const commitLine = "TREEWRIGHT_COMMIT: "

// Tree writes a configuration tree into a new or empty directory, in which git may
// have been initialized, and returns the paths of its files in it. CI will build with
// the Treewright of a commit, or with the newest for "". With an error, nothing is
// left of it.
func Tree(dir, commit string) (wrote []string, err error) {
	if dir == "" {
		return nil, diag.Requestf("the name of the directory is empty")
	}
	dir = filepath.Clean(dir)
	made, err := emptyDirectory(dir)
	if err != nil {
		return nil, err
	}
	err = fs.WalkDir(example, "tree", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := example.ReadFile(name)
		if err != nil {
			return err
		}
		if commit != "" {
			content = bytes.ReplaceAll(content, []byte(commitLine+"main"), []byte(commitLine+commit))
		}
		file := strings.TrimPrefix(name, "tree/")
		if err := write(filepath.Join(dir, filepath.FromSlash(file)), content); err != nil {
			return err
		}
		wrote = append(wrote, file)
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, takeBack(dir, wrote, made))
	}
	return wrote, nil
}

// emptyDirectory makes a directory, or finds that it is there and empty, and says
// whether it made it.
func emptyDirectory(dir string) (made bool, err error) {
	err = os.Mkdir(dir, 0o755)
	if err == nil {
		return true, nil
	}
	if !errors.Is(err, fs.ErrExist) {
		parent := filepath.Dir(dir)
		if info, bad := os.Stat(parent); bad != nil || !info.IsDir() {
			return false, diag.Requestf("there is no directory %s to make %s in", parent, filepath.Base(dir))
		}
		return false, err
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return false, diag.Requestf("%s is not a directory", dir)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false, err
	}
	entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return e.Name() == ".git" })
	if len(entries) > 0 {
		return false, diag.Requestf("the directory %s is not empty: it has %s; choose a new or empty one", dir, entries[0].Name())
	}
	return false, nil
}

// write writes a file that is not there yet. Programs are what begins with "#!".
func write(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	mode := os.FileMode(0o644)
	if bytes.HasPrefix(content, []byte("#!")) {
		mode = 0o755
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(path)
	}
	return err
}

// takeBack removes what was written, and the directories for it.
func takeBack(dir string, wrote []string, made bool) error {
	for _, file := range wrote {
		if err := os.Remove(filepath.Join(dir, filepath.FromSlash(file))); err != nil {
			return err
		}
	}
	var dirs []string
	_ = fs.WalkDir(example, "tree", func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && name != "tree" {
			dirs = append(dirs, strings.TrimPrefix(name, "tree/"))
		}
		return err
	})
	for _, d := range slices.Backward(dirs) {
		_ = os.Remove(filepath.Join(dir, filepath.FromSlash(d))) // not there, or with something else in it
	}
	if made {
		return os.Remove(dir)
	}
	return nil
}
