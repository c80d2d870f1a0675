package layer

import (
	"fmt"
	"os"
	"path"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Node is a file or directory of a tree that is mounted of layers, as the layers' indices
// describe it.
type Node struct {
	// Mode is st_mode, with the type.
	Mode, UID, GID uint32
	// Size is a regular file's in bytes, and a device's number. Mtime is in nanoseconds since 1970.
	Size, Mtime int64
	// SHA256 is over a regular file's content. Object is the checksum of its OSTree object, ""
	// if the index does not have it.
	SHA256, Object string
	// Target is a symbolic link's.
	Target string
	// Attributes is a hash over the extended attributes, "" without any. That of a
	// directory covers whether it hides those of lower layers.
	Attributes string
	// Entries are what a directory has, by name; nil for other files.
	Entries map[string]*Node
}

// IndexOfData returns where the index of a result is whose data is in dir.
func IndexOfData(dir string) string { return filepath.Join(filepath.Dir(dir), indexFile) }

// Merged returns the root of the tree that the layers would be mounted as, the lowest
// first, each given by the directory of its data. Only indices are read, and the mark of
// directories that hide others.
func Merged(stack []string) (*Node, error) {
	root := &Node{Mode: unix.S_IFDIR | 0o755, Entries: map[string]*Node{}}
	for _, dir := range stack {
		text, err := os.ReadFile(IndexOfData(dir))
		if err != nil {
			return nil, fmt.Errorf("read the index of a layer: %w", err)
		}
		entries, err := parseIndex(text)
		if err != nil {
			return nil, fmt.Errorf("read the index of a layer: %s: %w", IndexOfData(dir), err)
		}
		if err := root.add(dir, entries); err != nil {
			return nil, err
		}
	}
	return root, nil
}

// Walk calls do with the node and with all below it, with their paths relative to it, in any
// order in which a directory comes before its entries.
func (n *Node) Walk(do func(path string, n *Node)) { n.walk(".", do) }

func (n *Node) walk(at string, do func(string, *Node)) {
	do(at, n)
	for name, child := range n.Entries {
		child.walk(path.Join(at, name), do)
	}
}

// add lays the entries of one layer above the tree.
func (root *Node) add(dir string, entries []entry) error {
	dirs, files := map[string]*Node{}, map[string]*Node{}
	for i := range entries {
		e := &entries[i]
		if e.path == "." {
			root.become(e)
			dirs["."] = root
			continue
		}
		in, name := dirs[path.Dir(e.path)], path.Base(e.path)
		if in == nil {
			return fmt.Errorf("the index of the layer %s has %s before its directory", dir, e.path)
		}
		if e.whiteout() {
			delete(in.Entries, name)
			continue
		}
		n := in.Entries[name]
		hides := n == nil || n.Entries == nil || e.kind() != unix.S_IFDIR
		if !hides && e.xattrs != "" {
			var err error
			if hides, err = opaque(filepath.Join(dir, e.path)); err != nil {
				return err
			}
		}
		if hides {
			n = &Node{}
			in.Entries[name] = n
		}
		n.become(e)
		if first := files[e.first]; first != nil {
			n.SHA256, n.Object, n.Attributes = first.SHA256, first.Object, first.Attributes
		}
		if n.Entries != nil {
			dirs[e.path] = n
		} else {
			files[e.path] = n
		}
	}
	return nil
}

// become gives a node what an entry has. Entries of directories are merged.
func (n *Node) become(e *entry) {
	n.Mode, n.UID, n.GID, n.Size, n.Mtime, n.Attributes = e.mode, e.uid, e.gid, e.size, e.mtime, e.xattrs
	switch e.kind() {
	case unix.S_IFDIR:
		if n.Entries == nil {
			n.Entries = map[string]*Node{}
		}
	case unix.S_IFREG:
		n.SHA256, n.Object = e.sum, e.object
	case unix.S_IFLNK:
		n.Target = e.target
	}
}
