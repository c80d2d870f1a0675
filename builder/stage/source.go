package stage

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/otiai10/copy"

	"github.com/treewright/treewright/builder/plan"
)

// Sources is a folder of snapshots of source files, each named by its digest.
// Steps read the snapshots, so that editing a feature during a build can
// neither mix two versions nor put content under a key that is not its own.
type Sources struct{ Root string }

// Import takes a snapshot of what pick chooses below dir (slash-separated
// relative paths; a folder that is not chosen is not descended into) and
// returns it as a source.
func (s Sources) Import(name, dir string, pick func(rel string, isDir bool) bool) (plan.Source, error) {
	digest, err := digestFolder(dir, pick)
	if err != nil {
		return plan.Source{}, fmt.Errorf("read %s: %w", dir, err)
	}
	src := plan.Source{Name: name, Digest: "sha256:" + digest, Path: filepath.Join(s.Root, digest)}
	if _, err := os.Stat(src.Path); err == nil {
		return src, nil
	}
	if err := os.MkdirAll(s.Root, 0o755); err != nil {
		return src, fmt.Errorf("snapshot %s: %w", dir, err)
	}
	tmp, err := os.MkdirTemp(s.Root, ".new-*")
	if err != nil {
		return src, fmt.Errorf("snapshot %s: %w", dir, err)
	}
	defer os.RemoveAll(tmp)
	if err := os.Chmod(tmp, 0o755); err != nil {
		return src, fmt.Errorf("snapshot %s: %w", dir, err)
	}
	err = copy.Copy(dir, tmp, copy.Options{
		OnSymlink:         func(string) copy.SymlinkAction { return copy.Shallow },
		PermissionControl: normalPermissions,
		Skip: func(info os.FileInfo, path, _ string) (bool, error) {
			rel, err := filepath.Rel(dir, path)
			return rel != "." && !pick(filepath.ToSlash(rel), info.IsDir()), err
		},
	})
	if err != nil {
		return src, fmt.Errorf("snapshot %s: %w", dir, err)
	}
	if got, err := digestFolder(tmp, everything); err != nil || got != digest {
		return src, fmt.Errorf("snapshot %s: it changed while it was read; start again", dir)
	}
	if err := os.Rename(tmp, src.Path); err != nil {
		if _, serr := os.Stat(src.Path); serr != nil {
			return src, fmt.Errorf("snapshot %s: %w", dir, err)
		}
	}
	return src, nil
}

// ImportBytes makes a source of one file of that name and content.
func (s Sources) ImportBytes(name, file string, content []byte) (plan.Source, error) {
	if err := os.MkdirAll(s.Root, 0o755); err != nil {
		return plan.Source{}, fmt.Errorf("snapshot %s: %w", name, err)
	}
	tmp, err := os.MkdirTemp(s.Root, ".bytes-*")
	if err != nil {
		return plan.Source{}, fmt.Errorf("snapshot %s: %w", name, err)
	}
	defer os.RemoveAll(tmp)
	if err := os.WriteFile(filepath.Join(tmp, file), content, 0o644); err != nil {
		return plan.Source{}, fmt.Errorf("snapshot %s: %w", name, err)
	}
	return s.Import(name, tmp, everything)
}

// ImportFile makes a source of a single file.
func (s Sources) ImportFile(name, file string) (plan.Source, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return plan.Source{}, fmt.Errorf("read %s: %w", file, err)
	}
	src, err := s.ImportBytes(name, "content", content)
	src.Path = filepath.Join(src.Path, "content")
	return src, err
}

func everything(string, bool) bool { return true }

// normalMode is a source file's mode without what the umask of whoever cloned
// the tree had a say in. Only the owner's permission to execute counts, as for
// git.
func normalMode(m fs.FileMode) fs.FileMode {
	if m.Type() == fs.ModeSymlink {
		return m
	}
	return m.Type() | includeMode(m)
}

// normalPermissions gives what is copied its normal mode.
func normalPermissions(info fs.FileInfo, dest string) (func(*error), error) {
	if info.IsDir() {
		if err := os.MkdirAll(dest, 0o755); err != nil {
			return nil, err
		}
	}
	return func(err *error) {
		if *err == nil {
			*err = os.Chmod(dest, normalMode(info.Mode()))
		}
	}, nil
}

// digestFolder hashes names, types, permissions, link targets and contents of
// what pick chooses below dir, in the order of their names.
func digestFolder(dir string, pick func(string, bool) bool) (string, error) {
	h := sha256.New()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil || rel == "." {
			return err
		}
		rel = filepath.ToSlash(rel)
		if !pick(rel, d.IsDir()) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		fmt.Fprintf(h, "%q %s", rel, normalMode(info.Mode()))
		switch info.Mode().Type() {
		case fs.ModeDir:
		case fs.ModeSymlink:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			fmt.Fprintf(h, " %q", target)
		case 0:
			fmt.Fprintf(h, " %d ", info.Size())
			f, err := os.Open(path)
			if err != nil {
				return err
			}
			defer f.Close()
			if _, err := io.Copy(h, f); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%s: neither file, folder nor link", rel)
		}
		fmt.Fprintln(h)
		return nil
	})
	return hex.EncodeToString(h.Sum(nil)), err
}

// phaseFiles are the files and folders of a feature that one phase alone
// reads. Everything else in the folder is at the scripts' disposal.
var phaseFiles = map[string]bool{
	"info.yaml": true, "pkg.include": true, "pkg.exclude": true, "pkg.build": true,
	"file.include": true, "file.include.stat": true, "file.exclude": true,
	"exec.early": true, "exec.config": true, "exec.late": true, "exec.post": true, "exec.build": true,
	"fstab": true, "test": true, "README.md": true,
}

// pickScript chooses what a script may see of its feature's folder: itself, and
// what belongs to no phase.
func pickScript(script string) func(string, bool) bool {
	return func(rel string, _ bool) bool {
		top, _, _ := strings.Cut(rel, "/")
		return top == script || !phaseFiles[top]
	}
}

// pickOnly chooses the named top-level entries with all below them.
func pickOnly(names ...string) func(string, bool) bool {
	return func(rel string, _ bool) bool {
		top, _, _ := strings.Cut(rel, "/")
		for _, n := range names {
			if top == n {
				return true
			}
		}
		return false
	}
}
