package ostree

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/treewright/treewright/builder/format"
	"github.com/treewright/treewright/builder/objects"
)

// Objects are what trees are read from: a repository on this disk, or one on a server.
type Objects interface {
	// metadata reads and checks an object of the kind commit, dirtree or dirmeta.
	metadata(sum, kind string) ([]byte, error)
	// header reads the beginning of a file's object, and content the content of a regular
	// file, which is checked and has limit bytes at most.
	header(sum string) (*format.OSTreeFile, error)
	content(sum string, limit int64) ([]byte, error)
	// parallel is how many objects are read at the same time.
	parallel() int
}

// Tree is the tree of a commit, of which only what is asked for is read. Paths have no
// slash in front.
type Tree struct {
	objects Objects
	root    Entry
}

// Entry is a file or directory of a tree.
type Entry struct {
	Dir bool
	// Sum is the checksum of a file's object, or of a directory's list of entries, and
	// Meta that of a directory's owner and mode.
	Sum, Meta string
}

// TreeOf is the tree of a commit.
func TreeOf(objects Objects, c *format.OSTreeCommit) Tree {
	contents, meta, _ := strings.Cut(c.Tree, ".")
	return Tree{objects, Entry{true, contents, meta}}
}

// ReadCommit reads a commit's object.
func ReadCommit(objects Objects, sum string) (*format.OSTreeCommit, error) {
	raw, err := objects.metadata(sum, "commit")
	if err != nil {
		return nil, err
	}
	c, err := format.ParseOSTreeCommit(raw)
	if err != nil {
		return nil, fmt.Errorf("commit %s: %w", sum, err)
	}
	return c, nil
}

// dir reads the entries of a directory.
func (t Tree) dir(sum string) (*objects.Dir, error) {
	raw, err := t.objects.metadata(sum, "dirtree")
	if err != nil {
		return nil, err
	}
	d, err := format.ParseOSTreeDir(raw)
	if err != nil {
		return nil, err
	}
	// What somebody else wrote must not lead out of a directory.
	for _, names := range []map[string]string{d.Files, d.Dirs} {
		for name := range names {
			if name == "" || name == "." || name == ".." || strings.Contains(name, "/") {
				return nil, fmt.Errorf("directory object %s has an entry called %q", sum, name)
			}
		}
	}
	return d, nil
}

// damage is an error of reading an object that a tree leads to. It is not fs.ErrNotExist: the
// object is missing, but the tree has the file.
func damage(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New(err.Error())
	}
	return err
}

// Lookup finds an entry; the error is fs.ErrNotExist if there is none. Links are not
// followed.
func (t Tree) Lookup(name string) (Entry, error) {
	at := t.root
	if name = path.Clean(strings.Trim(name, "/")); name == "." {
		return at, nil
	}
	names := strings.Split(name, "/")
	for i, part := range names {
		d, err := t.dir(at.Sum)
		if err != nil {
			return Entry{}, damage(err)
		}
		switch {
		case d.Dirs[part] != "":
			at = Entry{true, d.Dirs[part], d.Metas[part]}
		case i == len(names)-1 && d.Files[part] != "":
			return Entry{Sum: d.Files[part]}, nil
		default:
			return Entry{}, &fs.PathError{Op: "look up", Path: "/" + name, Err: fs.ErrNotExist}
		}
	}
	return at, nil
}

// Names are the names in a directory, sorted; none if it does not exist.
func (t Tree) Names(dir string) ([]string, error) {
	entries, err := t.Entries(dir)
	return slices.Sorted(maps.Keys(entries)), err
}

// Entries are those of a directory by name; none if it does not exist.
func (t Tree) Entries(dir string) (map[string]Entry, error) {
	e, err := t.Lookup(dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !e.Dir {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	d, err := t.dir(e.Sum)
	if err != nil {
		return nil, err
	}
	return entriesOf(d), nil
}

// Stat returns what is known of an entry beside its content.
func (t Tree) Stat(e Entry) (*format.OSTreeFile, error) {
	if !e.Dir {
		return t.objects.header(e.Sum)
	}
	raw, err := t.objects.metadata(e.Meta, "dirmeta")
	if err != nil {
		return nil, err
	}
	m, err := format.ParseOSTreeMeta(raw)
	if err != nil {
		return nil, err
	}
	return &format.OSTreeFile{Meta: *m}, nil
}

// Content reads a regular file, which may have limit bytes at most.
func (t Tree) Content(e Entry, limit int64) ([]byte, error) { return t.objects.content(e.Sum, limit) }

// ReadFile reads a regular file by its path; the error is fs.ErrNotExist if it does not
// exist. Links within the tree are followed.
func (t Tree) ReadFile(name string, limit int64) ([]byte, error) {
	const most = 40 // as many links as Linux follows
	asked := name
	for range most {
		e, next, err := t.step(name)
		if err != nil {
			return nil, &fs.PathError{Op: "read", Path: "/" + asked, Err: err}
		}
		if next == "" {
			content, err := t.Content(e, limit)
			return content, damage(err)
		}
		name = next
	}
	return nil, &fs.PathError{Op: "read", Path: "/" + asked, Err: errors.New("too many links")}
}

// step follows a path as far as the first link, and returns where that leads to with the
// rest of the path; "" without a link, and the entry is what the path leads to.
func (t Tree) step(name string) (Entry, string, error) {
	names := strings.Split(path.Clean(strings.Trim(name, "/")), "/")
	at := t.root
	for i, part := range names {
		d, err := t.dir(at.Sum)
		if err != nil {
			return at, "", damage(err)
		}
		e, ok := entriesOf(d)[part]
		if !ok {
			return at, "", fs.ErrNotExist
		}
		if at = e; e.Dir {
			continue
		}
		h, err := t.objects.header(e.Sum)
		switch {
		case err != nil:
			return at, "", damage(err)
		case h.Link():
			return at, joined(path.Join(names[:i]...), h.Target, path.Join(names[i+1:]...)), nil
		case i < len(names)-1:
			return at, "", fs.ErrNotExist
		}
	}
	if at.Dir {
		return at, "", errors.New("is a directory")
	}
	return at, "", nil
}

// entriesOf are the entries of a directory by name.
func entriesOf(d *objects.Dir) map[string]Entry {
	entries := make(map[string]Entry, len(d.Files)+len(d.Dirs))
	for name, sum := range d.Files {
		entries[name] = Entry{Sum: sum}
	}
	for name, sum := range d.Dirs {
		entries[name] = Entry{true, sum, d.Metas[name]}
	}
	return entries
}

// in is an entry of a directory; nil if it is not there.
func in(entries map[string]Entry, name string) *Entry {
	if e, ok := entries[name]; ok {
		return &e
	}
	return nil
}

// joined is where a link in a directory leads, with the rest of the way. Above the root is
// the root.
func joined(dir, target, rest string) string {
	if path.IsAbs(target) {
		dir = "/"
	}
	return strings.TrimPrefix(path.Join("/", dir, target, rest), "/")
}

// EachOf calls do for 0 to n-1 to read something of two trees, as many at a time as makes
// sense, and returns the first error by number.
func EachOf(n int, a, b Tree, do func(int) error) error {
	errs := make([]error, n)
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(n, max(a.objects.parallel(), b.objects.parallel())) {
		wg.Go(func() {
			for i := range next {
				errs[i] = do(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
	return cmp.Or(errs...)
}

// Size adds up the sizes of the contents of all files in bytes, each path counted. It reads
// the beginning of each file's object.
func (t Tree) Size() (int64, error) {
	sizes := map[string]int64{} // of what objects lead to, by checksum
	var walk func(sum string, depth int) (int64, error)
	walk = func(sum string, depth int) (int64, error) {
		if n, ok := sizes[sum]; ok {
			return n, nil
		}
		d, err := t.dir(sum)
		if err != nil {
			return 0, err
		}
		if depth > deepest {
			return 0, errDeep
		}
		var total int64
		for _, file := range d.Files {
			n, ok := sizes[file]
			if !ok {
				h, err := t.objects.header(file)
				if err != nil {
					return 0, err
				}
				n = int64(h.Size)
				sizes[file] = n
			}
			total += n
		}
		for _, sub := range d.Dirs {
			n, err := walk(sub, depth+1)
			if err != nil {
				return 0, err
			}
			total += n
		}
		sizes[sum] = total
		return total, nil
	}
	return walk(t.root.Sum, 0)
}

// deepest is more than the directories of any system are nested.
const deepest = 1000

var errDeep = errors.New("directories are nested too deeply")
