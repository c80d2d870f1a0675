package ostree

import (
	"encoding/hex"
	"fmt"
	"path/filepath"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/objects"
	"github.com/treewright/treewright/builder/treefs"
)

// Contents is a tree as a repository has it: its objects by their names, without what
// files contain.
type Contents struct {
	// Tree identifies it, as in [format.OSTreeCommit].
	Tree string
	// dir is where the tree is mounted.
	dir string
	// files has a file of each object, plain the bytes of all other objects.
	files map[string]file
	plain map[string][]byte
}

// file is a file of a tree. Its path is relative to it.
type file struct {
	path string
	*layer.Node
}

// ContentsOf computes the checksums of a tree that is mounted at dir. Of regular files it reads
// those whose checksum is not known.
func ContentsOf(root *layer.Node, dir string) (*Contents, error) {
	d := &Contents{dir: dir, files: map[string]file{}, plain: map[string][]byte{}}
	var unknown []file
	root.Walk(func(path string, n *layer.Node) {
		if n.Mode&unix.S_IFMT == unix.S_IFREG && n.Object == "" {
			unknown = append(unknown, file{path, n})
		}
	})
	err := layer.OnAllCores(len(unknown), func(i int) error {
		f := unknown[i]
		meta, err := d.metaOf(f.path, f.Node)
		if err != nil {
			return err
		}
		sum := objects.FileSum(meta, "")
		if err := layer.ReadInto(filepath.Join(dir, f.path), sum); err != nil {
			return err
		}
		f.Object = hex.EncodeToString(sum.Sum(nil))
		return nil
	})
	if err != nil {
		return nil, err
	}
	contents, meta, err := d.directory(".", root)
	d.Tree = contents + "." + meta
	return d, err
}

// metaOf reads the extended attributes of what has some.
func (d *Contents) metaOf(path string, n *layer.Node) (objects.Meta, error) {
	m := objects.Meta{UID: n.UID, GID: n.GID, Mode: n.Mode}
	if n.Attributes == "" {
		return m, nil
	}
	attrs, err := treefs.Attributes(filepath.Join(d.dir, path), func(string) bool { return false })
	m.Xattrs = attrs
	return m, err
}

// directory describes a directory and all that is in it, and returns the checksums of its
// listing and its metadata.
func (d *Contents) directory(path string, n *layer.Node) (contents, meta string, err error) {
	listing := objects.Dir{Files: map[string]string{}, Dirs: map[string]string{}, Metas: map[string]string{}}
	for name, child := range n.Entries {
		at := filepath.Join(path, name)
		if !utf8.ValidString(name) { // libostree's rule
			return "", "", fmt.Errorf("the name of %q is not UTF-8, so a commit cannot contain it", at)
		}
		if child.Entries != nil {
			listing.Dirs[name], listing.Metas[name], err = d.directory(at, child)
		} else {
			listing.Files[name], err = d.file(at, child)
		}
		if err != nil {
			return "", "", err
		}
	}
	m, err := d.metaOf(path, n)
	if err != nil {
		return "", "", err
	}
	tree, err := objects.DirTree(listing)
	if err != nil {
		return "", "", fmt.Errorf("directory %s: %w", path, err)
	}
	return d.add(tree, "dirtree"), d.add(objects.DirMeta(m), "dirmeta"), nil
}

func (d *Contents) add(object []byte, kind string) (sum string) {
	sum = objects.Sum(object)
	d.plain[sum+"."+kind] = object
	return sum
}

// file describes a file that is not a directory.
func (d *Contents) file(path string, n *layer.Node) (string, error) {
	sum := n.Object
	switch n.Mode & unix.S_IFMT {
	case unix.S_IFREG:
	case unix.S_IFLNK:
		m, err := d.metaOf(path, n)
		if err != nil {
			return "", err
		}
		sum = objects.Sum(objects.FileHeader(m, n.Target))
	default:
		return "", fmt.Errorf("%q is neither a regular file nor a directory nor a symbolic link, so a commit cannot contain it", path)
	}
	d.files[sum+".filez"] = file{path, n}
	return sum, nil
}
