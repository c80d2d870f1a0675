package ostree

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/format"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/objects"
	"github.com/treewright/treewright/builder/treefs"
)

// Checkout writes a tree of the repository into the directory to, which must exist: with owners, modes and
// extended attributes, and with the time 0, like on machines. The tree is named like in a commit, by the checksums
// "CONTENTS.META" of its root. Each object is checked when it is read, so the result is that tree, or an error.
func (r Repository) Checkout(ctx context.Context, tree, to string) error {
	c := checkout{repo: r, dirs: map[string]*objects.Meta{}}
	contents, meta, ok := strings.Cut(tree, ".")
	if !ok || !isSum(contents) || !isSum(meta) {
		return fmt.Errorf("check out: %q is not the name of a tree", tree)
	}
	if err := c.directory(Entry{true, contents, meta}, to, 0); err != nil {
		return fmt.Errorf("check out: %w", err)
	}
	if err := layer.OnAllCores(len(c.files), func(i int) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return c.file(c.files[i])
	}); err != nil {
		return fmt.Errorf("check out: %w", err)
	}
	// New files change the time of a directory, and its mode can refuse new files.
	for i := len(c.order) - 1; i >= 0; i-- {
		if err := setMeta(c.order[i], c.dirs[c.order[i]]); err != nil {
			return fmt.Errorf("check out: %w", err)
		}
	}
	return nil
}

// checkout is the state of a running checkout.
type checkout struct {
	repo Repository
	// dirs are the directories that were made, and order their paths, parents first.
	dirs  map[string]*objects.Meta
	order []string
	files []placed
}

// placed is a file's object, and the path that it gets.
type placed struct{ sum, path string }

// directory makes a directory and its subdirectories, and notes the files.
func (c *checkout) directory(e Entry, to string, depth int) error {
	if depth > deepest {
		return errDeep
	}
	t := Tree{objects: c.repo}
	d, err := t.dir(e.Sum)
	if err != nil {
		return err
	}
	raw, err := c.repo.metadata(e.Meta, "dirmeta")
	if err != nil {
		return err
	}
	meta, err := format.ParseOSTreeMeta(raw)
	if err != nil {
		return fmt.Errorf("dirmeta %s: %w", e.Meta, err)
	}
	if err := os.Mkdir(to, 0o700); err != nil && (depth > 0 || !errors.Is(err, fs.ErrExist)) {
		return err
	}
	c.dirs[to], c.order = meta, append(c.order, to)
	for name, sum := range d.Files {
		c.files = append(c.files, placed{sum, filepath.Join(to, name)})
	}
	for name, sum := range d.Dirs {
		if err := c.directory(Entry{true, sum, d.Metas[name]}, filepath.Join(to, name), depth+1); err != nil {
			return err
		}
	}
	return nil
}

// file writes a file or a link.
func (c *checkout) file(p placed) error {
	if c.repo.bare {
		return c.repo.copyBare(p)
	}
	in, err := os.Open(filepath.Join(c.repo.dir, object(p.sum, "filez")))
	if err != nil {
		return fmt.Errorf("%s is damaged: %w", c.repo.dir, err)
	}
	defer in.Close()
	header, err := format.ReadOSTreeHeader(in)
	if err == nil {
		_, err = in.Seek(0, 0)
	}
	if err == nil {
		err = writeContent(p, header, in)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", in.Name(), err)
	}
	return setMeta(p.path, &header.Meta)
}

// writeContent writes the content of a file, or the link.
func writeContent(p placed, header *format.OSTreeFile, in *os.File) error {
	if header.Link() {
		if err := format.CheckOSTreeObject(in, p.sum, "filez"); err != nil {
			return err
		}
		return os.Symlink(header.Target, p.path)
	}
	if header.Mode&unix.S_IFMT != unix.S_IFREG {
		return fmt.Errorf("is neither a file nor a link, but has the mode %o", header.Mode)
	}
	out, err := os.OpenFile(p.path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	err = format.CopyOSTreeFile(out, in, p.sum)
	return errors.Join(err, out.Close())
}

// setMeta gives a file or directory its owner, mode, attributes, and the time 0.
func setMeta(path string, m *objects.Meta) error {
	if err := treefs.SetMetadata(path, int(m.UID), int(m.GID), m.Mode, m.Xattrs); err != nil {
		return err
	}
	return treefs.SetTimes(path, 0, 0)
}
