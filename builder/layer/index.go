package layer

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/objects"
	"github.com/treewright/treewright/builder/treefs"
)

// An index says what a result's data was when it was made: a line a file, in
// the order of a walk, with blanks between
//
//	MODE UID GID SIZE MTIME SHARED SHA256 XATTRS OBJECT "PATH" ["TARGET"]
//
// MODE is st_mode in octal, SIZE in bytes (a device's number, for devices),
// MTIME in nanoseconds since 1970. SHA256 is a regular file's, "=" for one more
// name of a file that has a line already, which TARGET names, "-" for the rest.
// XATTRS is a hash over all extended attributes, "-" if there are none. OBJECT is
// the checksum that OSTree gives a regular file of a layer, with its owner, mode and
// extended attributes: a commit of the tree does not read it. TARGET is a symbolic link's. SHARED is "s" for a file with names outside the result.
//
// The index is the same wherever the data is. What is known of it on this disk
// alone is beside it, in [seenFile].
const indexFile = "index"

// seenFile holds inode and ctime of each file of the index, in its order, as
// they were when the file's content was last known to be good. The kernel
// changes a file's ctime with anything that is done to it, and lets nobody set
// it; so a file whose ctime is the same need not be read again. That is all it
// is used for: copied caches, where each ctime is another, are as good as
// others.
const seenFile = "seen"

func seenOf(st *unix.Stat_t) seen { return seen{st.Ino, st.Ctim.Nano()} }

func (e *entry) kind() uint32 { return e.mode & unix.S_IFMT }

// whiteout reports whether the entry is overlayfs's mark of a deletion. The kernel
// makes them as links to each other as it pleases.
func (e *entry) whiteout() bool { return e.kind() == unix.S_IFCHR && e.size == 0 }

// entryOf returns what lstat(2) says of a file.
func entryOf(rel string, st *unix.Stat_t) entry {
	e := entry{
		mode: st.Mode, uid: st.Uid, gid: st.Gid, mtime: st.Mtim.Nano(),
		path: rel, seen: seenOf(st),
	}
	switch e.kind() {
	case unix.S_IFREG, unix.S_IFLNK:
		e.size = st.Size
	case unix.S_IFCHR, unix.S_IFBLK:
		e.size = int64(st.Rdev)
	}
	return e
}

// readIndex makes the index of the files in dir and below. Files whose SHA-256
// is known, by relative paths, are not read. Checksums of objects are computed if asked for.
func readIndex(dir string, known map[string]string, objects bool) ([]entry, error) {
	var entries []entry
	links := map[uint64][]int{} // the entries of an inode
	names := map[uint64]uint64{}
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		var st unix.Stat_t
		if err := unix.Lstat(path, &st); err != nil {
			return &fs.PathError{Op: "lstat", Path: path, Err: err}
		}
		rel := "."
		if path != dir {
			rel = path[len(dir)+1:]
		}
		e := entryOf(rel, &st)
		if st.Nlink > 1 && e.kind() != unix.S_IFDIR && !e.whiteout() {
			links[st.Ino] = append(links[st.Ino], len(entries))
			names[st.Ino] = uint64(st.Nlink)
		}
		entries = append(entries, e)
		return nil
	})
	if err != nil {
		return nil, err
	}
	for inode, at := range links {
		for n, i := range at {
			if n > 0 {
				entries[i].first = entries[at[0]].path
			}
			entries[i].shared = uint64(len(at)) < names[inode]
		}
	}
	return entries, OnAllCores(len(entries), func(i int) error {
		e := &entries[i]
		if e.first != "" {
			return nil
		}
		e.sum = known[e.path]
		return e.read(filepath.Join(dir, e.path), objects)
	})
}

// read fills in what takes more than lstat(2), except for a sum that is known.
func (e *entry) read(path string, object bool) error {
	attrs, err := treefs.Attributes(path, ofHost)
	if err != nil {
		return err
	}
	e.xattrs = hashAttributes(attrs)
	switch e.kind() {
	case unix.S_IFLNK:
		e.target, err = os.Readlink(path)
	case unix.S_IFREG:
		switch {
		case object:
			plain, named := sha256.New(), objects.FileSum(objects.Meta{UID: e.uid, GID: e.gid, Mode: e.mode, Xattrs: attrs}, "")
			err = ReadInto(path, plain, named)
			e.sum, e.object = hex.EncodeToString(plain.Sum(nil)), hex.EncodeToString(named.Sum(nil))
		case e.sum == "":
			e.sum, err = HashFile(path)
		}
	}
	return err
}

// hashAttributes hashes extended attributes; "" without any.
func hashAttributes(attrs map[string]string) string {
	if len(attrs) == 0 {
		return ""
	}
	var lines []string
	for name, value := range attrs {
		lines = append(lines, fmt.Sprintf("%q=%q\n", xattrRecord+name, value))
	}
	sort.Strings(lines)
	return hashBytes([]byte(strings.Join(lines, "")))
}

// compare describes how a file differs from its entry; "" if it does not. It believes
// a file that has not been changed since it was seen, unless it is to read all.
// now is what the file is to be seen as from now on.
func (e *entry) compare(at *opened, all bool, inDir func(string) []string) (difference string, now seen, err error) {
	var st unix.Stat_t
	if err := at.lstat(e.path, &st); errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
		return "is missing", seen{}, nil
	} else if err != nil {
		return "", seen{}, err
	}
	is := entryOf(e.path, &st)
	if difference := e.differs(&is); difference != "" {
		return difference, seen{}, nil
	}
	if is.seen == e.seen && !e.shared && !all {
		return "", is.seen, nil
	}
	switch {
	case e.first != "":
		var first unix.Stat_t
		if err := at.lstat(e.first, &first); err != nil || first.Ino != st.Ino {
			return "is no longer a hard link to " + e.first, seen{}, nil
		}
		return "", is.seen, nil
	case e.kind() == unix.S_IFDIR:
		if difference, err := comparedNames(filepath.Join(at.dir, e.path), inDir(e.path)); difference != "" || err != nil {
			return difference, seen{}, err
		}
	}
	if err := is.read(filepath.Join(at.dir, e.path), false); err != nil {
		// An input/output error is how a disk says that it lost what it had.
		return "cannot be read: " + err.Error(), seen{}, nil
	}
	switch {
	case is.xattrs != e.xattrs:
		return "has other extended attributes", seen{}, nil
	case is.target != e.target:
		return fmt.Sprintf("leads to %q, not to %q", is.target, e.target), seen{}, nil
	case is.sum != e.sum:
		return fmt.Sprintf("has other content: SHA-256 is %s, not %s", is.sum, e.sum), seen{}, nil
	}
	return "", is.seen, nil
}

// differs compares what lstat(2) tells.
func (e *entry) differs(is *entry) string {
	switch {
	case is.kind() != e.kind():
		return "is " + kindName(is.kind()) + ", not " + kindName(e.kind())
	case is.mode != e.mode:
		return fmt.Sprintf("has mode %04o, not %04o", is.mode&0o7777, e.mode&0o7777)
	case is.uid != e.uid || is.gid != e.gid:
		return fmt.Sprintf("belongs to %d:%d, not %d:%d", is.uid, is.gid, e.uid, e.gid)
	case is.size != e.size && (e.kind() == unix.S_IFCHR || e.kind() == unix.S_IFBLK):
		return fmt.Sprintf("is device %d:%d, not %d:%d", unix.Major(uint64(is.size)), unix.Minor(uint64(is.size)), unix.Major(uint64(e.size)), unix.Minor(uint64(e.size)))
	case is.size != e.size:
		return fmt.Sprintf("has %d bytes, not %d", is.size, e.size)
	case is.mtime != e.mtime:
		return "was changed at " + timeOf(is.mtime) + "; its time was " + timeOf(e.mtime)
	}
	return ""
}

// comparedNames describes what is in a directory besides what should be. What is
// missing has an entry of its own to say so.
func comparedNames(dir string, want []string) (string, error) {
	have, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	if len(have) <= len(want) {
		return "", nil
	}
	known := map[string]bool{}
	for _, name := range want {
		known[name] = true
	}
	for _, d := range have {
		if !known[d.Name()] {
			return "holds " + d.Name() + ", which was not made by a step", nil
		}
	}
	return "", nil
}
