package source

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/treefs"
)

// Snapshots is a directory of snapshots of source files, each named by its digest.
// Steps read the snapshots, so that editing a feature during a build can
// neither mix two versions nor put content under a key that is not its own.
//
// Without a Root, snapshots are not kept. Sources have digests, but do not have paths.
type Snapshots struct {
	Root string
	// Tree is the configuration tree, within which links are followed; Trees are
	// others, for what is in them.
	Tree  string
	Trees []string
	// Lenient leaves a link that leads out of the tree, or nowhere, a link. In
	// other people's trees nobody has checked for those.
	Lenient bool
	// Known, if not nil, has the sources that were imported before. It is for plans of many
	// flavours of a tree that does not change meanwhile.
	Known *Known
	// Damaged, if not nil, is called with a snapshot that has another digest than the one in its name
	// and is taken again.
	Damaged func(path string)
}

// Import takes a snapshot of what pick chooses below dir (slash-separated
// relative paths; a directory that is not chosen is not descended into) and
// returns it as a source. [config.WalkFeature] says which links are followed;
// the snapshot holds what they lead to.
func (s Snapshots) Import(name, dir string, pick func(rel string, isDir bool) bool) (plan.Source, error) {
	top, sub := s.treeOf(dir)
	root, err := os.OpenRoot(top)
	if err != nil {
		return plan.Source{}, fmt.Errorf("read %s: %w", dir, err)
	}
	defer root.Close()
	tree := treefs.Within(root)
	return s.snapshot(name, dir, tree, func(visit func(config.File) error) error {
		return config.WalkFeature(tree, sub, s.Lenient, pick, visit)
	})
}

// treeOf returns the innermost tree that a directory is in, and where it is there.
func (s Snapshots) treeOf(dir string) (top, sub string) {
	for _, tree := range append([]string{s.Tree}, s.Trees...) {
		rel, err := filepath.Rel(tree, dir)
		if tree != "" && err == nil && filepath.IsLocal(rel) && len(tree) > len(top) {
			top, sub = tree, filepath.ToSlash(rel)
		}
	}
	if top == "" {
		return dir, "."
	}
	return top, sub
}

// ImportTree takes a snapshot of a whole tree. Links in it stay links.
func (s Snapshots) ImportTree(name string, tree fs.FS) (plan.Source, error) {
	return s.snapshot(name, name, tree, func(visit func(config.File) error) error { return walk(tree, visit) })
}

// ImportAsIs takes a snapshot of all that is in dir and below. Links in it stay
// links.
func (s Snapshots) ImportAsIs(name, dir string) (plan.Source, error) {
	fsys := asIs(dir)
	return s.snapshot(name, dir, fsys, fsys.walk)
}

// snapshot copies what walk visits in fsys to where its digest says.
func (s Snapshots) snapshot(name, dir string, fsys fs.FS, walk func(func(config.File) error) error) (plan.Source, error) {
	digest, err := digestOf(fsys, walk)
	if err != nil {
		return plan.Source{}, fmt.Errorf("read %s: %w", dir, err)
	}
	src := plan.Source{Name: name, Digest: "sha256:" + digest}
	if s.Root == "" {
		return src, nil
	}
	src.Path = filepath.Join(s.Root, digest)
	have, err := DigestDir(src.Path)
	if err == nil && have == digest {
		return src, nil
	}
	damaged := !errors.Is(err, fs.ErrNotExist)
	if damaged && s.Damaged != nil {
		s.Damaged(src.Path)
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
	if err := walk(func(f config.File) error { return copyFile(fsys, f, tmp) }); err != nil {
		return src, fmt.Errorf("snapshot %s: %w", dir, err)
	}
	if got, err := DigestDir(tmp); err != nil || got != digest {
		return src, fmt.Errorf("snapshot %s: it changed while it was read; start again", dir)
	}
	if err := layer.Sync(tmp); err != nil {
		return src, fmt.Errorf("snapshot %s: %w", dir, err)
	}
	if damaged {
		// What was there is then in tmp.
		err = unix.Renameat2(unix.AT_FDCWD, tmp, unix.AT_FDCWD, src.Path, unix.RENAME_EXCHANGE)
	} else if err = os.Rename(tmp, src.Path); err != nil && treefs.Exists(src.Path) {
		err = nil // another build has taken it meanwhile
	}
	if err != nil {
		return src, fmt.Errorf("snapshot %s: %w", dir, err)
	}
	return src, nil
}

// asIs is a directory whose links are not followed or checked: the directory itself may be
// reached through some.
type asIs string

// Open implements [fs.FS].
func (a asIs) Open(name string) (fs.File, error) { return treefs.New(string(a)).Open(name) }

func (a asIs) walk(visit func(config.File) error) error { return walk(os.DirFS(string(a)), visit) }

// walk visits everything in a tree as it is.
func walk(fsys fs.FS, visit func(config.File) error) error {
	return fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == "." {
			return err
		}
		f := config.File{Name: name, Real: name}
		if f.Info, err = d.Info(); err != nil {
			return err
		}
		if d.Type() == fs.ModeSymlink {
			if f.Target, err = fs.ReadLink(fsys, name); err != nil {
				return err
			}
		}
		return visit(f)
	})
}

// copyFile copies one file of a walk to below dir, with its normal mode.
func copyFile(fsys fs.FS, f config.File, dir string) error {
	to := filepath.Join(dir, filepath.FromSlash(f.Name))
	switch f.Info.Mode().Type() {
	case fs.ModeSymlink:
		return os.Symlink(f.Target, to)
	case fs.ModeDir:
		return errors.Join(os.Mkdir(to, 0o755), os.Chmod(to, normalMode(f.Info.Mode())))
	}
	in, err := fsys.Open(f.Real)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Chmod(normalMode(f.Info.Mode())), out.Close())
}

// ImportFile makes a source of a single file.
func (s Snapshots) ImportFile(name, file string) (plan.Source, error) {
	content, err := treefs.ReadFile(file, treefs.MostKeyring)
	if err != nil {
		return plan.Source{}, fmt.Errorf("read %s: %w", file, err)
	}
	src, err := s.ImportBytes(name, "content", content)
	if src.Path != "" {
		src.Path = filepath.Join(src.Path, "content")
	}
	return src, err
}

// normalMode is a source file's mode without what the umask of the user who cloned
// the tree had a say in. Only the owner's permission to execute counts, as for
// git.
func normalMode(m fs.FileMode) fs.FileMode {
	if m.Type() == fs.ModeSymlink {
		return m
	}
	return m.Type() | treefs.PlainMode(m)
}

// Check reports whether the snapshot at path is what its name says.
func Check(path string) (bool, error) {
	digest, err := DigestDir(path)
	return digest == filepath.Base(path), err
}

// DigestDir hashes all that is in dir and below.
func DigestDir(dir string) (string, error) {
	fsys := asIs(dir)
	return digestOf(fsys, fsys.walk)
}

// digestOf hashes names, types, permissions, link targets and contents of what
// walk visits in fsys, in that order.
func digestOf(fsys fs.FS, walk func(func(config.File) error) error) (string, error) {
	h := sha256.New()
	err := walk(func(f config.File) error {
		fmt.Fprintf(h, "%q %s", f.Name, normalMode(f.Info.Mode()))
		switch f.Info.Mode().Type() {
		case fs.ModeDir:
		case fs.ModeSymlink:
			fmt.Fprintf(h, " %q", f.Target)
		case 0:
			fmt.Fprintf(h, " %d ", f.Info.Size())
			in, err := fsys.Open(f.Real)
			if err != nil {
				return err
			}
			defer in.Close()
			if _, err := io.Copy(h, in); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%s: neither file, directory nor link", f.Name)
		}
		fmt.Fprintln(h)
		return nil
	})
	return hex.EncodeToString(h.Sum(nil)), err
}

// Only chooses the named top-level entries with all below them.
func Only(names ...string) func(string, bool) bool {
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
