package treefs

import (
	"cmp"
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// The most that [FS.Ahead] reads. The rest is read when it is asked for.
const (
	aheadNames = 200_000
	aheadBytes = 32 << 20
	aheadFile  = 128 << 10 // of one file
	aheadDepth = 40
)

// Ahead is a tree of which some directories were read at once, with all that is below
// them: on all cores, each name once, however often it is asked for. It is
// for reading a tree of thousands of small files once; what changes afterwards in these
// directories is not seen.
//
// It answers as the tree does: whatever it does not know, or what is neither a regular file nor a
// directory, it asks the tree for. Links, which are such, are not followed ahead.
type Ahead struct {
	*FS
	dirs map[string]*node
	// direct are those of dirs that no link leads to.
	direct map[string]bool
}

// Ahead reads directories at the top of the tree.
func (t *FS) Ahead(dirs ...string) *Ahead {
	a := &Ahead{FS: t, dirs: map[string]*node{}, direct: map[string]bool{}}
	w := &aheadWalk{dev: map[uint64]bool{}, tasks: make(chan func(), 1000)}
	w.left.names.Store(aheadNames)
	w.left.bytes.Store(aheadBytes)
	for range max(4, runtime.GOMAXPROCS(0)) {
		go func() {
			for task := range w.tasks {
				task()
				w.open.Done()
			}
		}()
	}
	for _, name := range dirs {
		top := &node{name: name}
		a.dirs[name] = top
		info, err := t.Lstat(name)
		a.direct[name] = err == nil && info.IsDir()
		w.readDir(unix.AT_FDCWD, t.path(name), top, 0)
	}
	w.open.Wait()
	close(w.tasks)
	return a
}

// node is something in a tree. It is an [fs.FileInfo], without anything of the system's own.
type node struct {
	name  string
	mode  fs.FileMode
	size  int64
	mtime time.Time
	// listed reports that entries and below, in the order of names, are all that is in the
	// directory; read that text is the file's.
	listed, read bool
	entries      []fs.DirEntry
	below        []*node
	text         []byte
}

func (n *node) Name() string       { return n.name }
func (n *node) Size() int64        { return n.size }
func (n *node) Mode() fs.FileMode  { return n.mode }
func (n *node) ModTime() time.Time { return n.mtime }
func (n *node) IsDir() bool        { return n.mode.IsDir() }
func (n *node) Sys() any           { return nil }

// aheadWalk is one reading ahead.
type aheadWalk struct {
	left struct{ names, bytes atomic.Int64 }
	// tasks are directories that are still to be read, and open how many.
	tasks chan func()
	open  sync.WaitGroup
	// dev has the file systems met so far, and whether they are on a disk.
	mutex sync.Mutex
	dev   map[uint64]bool
}

// readDir reads a directory with all that is below it. What cannot be read stays unknown.
func (w *aheadWalk) readDir(at int, name string, dir *node, depth int) {
	// A link is followed for the top only: its own name leads to the right directory.
	flags := unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NONBLOCK | unix.O_CLOEXEC
	if depth > 0 {
		flags |= unix.O_NOFOLLOW
	}
	fd, err := retry(func() (int, error) { return unix.Openat(at, name, flags, 0) })
	if err != nil {
		return
	}
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil || !w.onDisk(fd, st.Dev) {
		unix.Close(fd)
		return
	}
	dir.set(&st)
	names, err := namesIn(fd)
	if err != nil || w.left.names.Add(-int64(len(names))) < 0 {
		unix.Close(fd)
		return
	}
	var users sync.WaitGroup
	for _, name := range names {
		n := &node{name: name}
		if !w.look(fd, n) {
			unix.Close(fd)
			return
		}
		dir.below = append(dir.below, n)
	}
	slices.SortFunc(dir.below, func(a, b *node) int { return cmp.Compare(a.name, b.name) })
	for _, n := range dir.below {
		dir.entries = append(dir.entries, fs.FileInfoToDirEntry(n))
	}
	dir.listed = true
	for _, n := range dir.below {
		if !n.IsDir() || depth >= aheadDepth {
			continue
		}
		if depth > 0 {
			w.readDir(fd, n.name, n, depth+1)
			continue
		}
		users.Add(1)
		w.open.Add(1)
		w.tasks <- func() {
			defer users.Done()
			w.readDir(fd, n.name, n, depth+1)
		}
	}
	users.Wait()
	unix.Close(fd)
}

// look finds out what a name is, and reads it if it is a small regular file; false if it
// is gone. Other files are not opened: opening a device has effects.
func (w *aheadWalk) look(dir int, n *node) bool {
	fd, err := retry(func() (int, error) {
		return unix.Openat(dir, n.name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil {
		return false
	}
	n.set(&st)
	if !n.mode.IsRegular() || st.Size > aheadFile || !w.onDisk(fd, st.Dev) || w.left.bytes.Add(-st.Size) < 0 {
		return true
	}
	again, err := retry(func() (int, error) {
		return unix.Open(fmt.Sprintf("/proc/self/fd/%d", fd), unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return true
	}
	defer unix.Close(again)
	text := make([]byte, st.Size+1)
	if got, err := retry(func() (int, error) { return unix.Read(again, text) }); err == nil && int64(got) == st.Size {
		n.text, n.read = text[:got:got], true
	}
	return true
}

// onDisk reports whether files of a file system may be read: the kernel makes up others.
func (w *aheadWalk) onDisk(fd int, dev uint64) bool {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	known, ok := w.dev[dev]
	if !ok {
		var on unix.Statfs_t
		known = unix.Fstatfs(fd, &on) == nil && !slices.Contains(madeUp, int64(on.Type))
		w.dev[dev] = known
	}
	return known
}

func namesIn(fd int) ([]string, error) {
	var names []string
	buf := make([]byte, 8<<10)
	for {
		n, err := retry(func() (int, error) { return unix.ReadDirent(fd, buf) })
		if err != nil || n <= 0 {
			return names, err
		}
		_, _, names = unix.ParseDirent(buf[:n], -1, names)
	}
}

func (n *node) set(st *unix.Stat_t) {
	n.size, n.mtime = st.Size, time.Unix(st.Mtim.Unix())
	n.mode = fs.FileMode(st.Mode & 0o777)
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		n.mode |= fs.ModeDir
	case unix.S_IFLNK:
		n.mode |= fs.ModeSymlink
	case unix.S_IFBLK:
		n.mode |= fs.ModeDevice
	case unix.S_IFCHR:
		n.mode |= fs.ModeDevice | fs.ModeCharDevice
	case unix.S_IFIFO:
		n.mode |= fs.ModeNamedPipe
	case unix.S_IFSOCK:
		n.mode |= fs.ModeSocket
	}
	if st.Mode&unix.S_ISUID != 0 {
		n.mode |= fs.ModeSetuid
	}
	if st.Mode&unix.S_ISGID != 0 {
		n.mode |= fs.ModeSetgid
	}
	if st.Mode&unix.S_ISVTX != 0 {
		n.mode |= fs.ModeSticky
	}
}

// find returns the record of a name, nil if it is not known, or if a link is on the way.
func (a *Ahead) find(name string) *node {
	first, rest, more := strings.Cut(name, "/")
	n := a.dirs[first]
	for more && n != nil {
		first, rest, more = strings.Cut(rest, "/")
		i, ok := slices.BinarySearchFunc(n.below, first, func(n *node, name string) int { return cmp.Compare(n.name, name) })
		if !ok {
			return nil
		}
		n = n.below[i]
	}
	return n
}

// ReadDir implements [fs.ReadDirFS].
func (a *Ahead) ReadDir(name string) ([]fs.DirEntry, error) {
	n := a.find(name)
	if n == nil || !n.listed {
		return a.FS.ReadDir(name)
	}
	a.opened(name)
	if err := a.count(len(n.entries)); err != nil {
		return nil, err
	}
	return slices.Clone(n.entries), nil
}

// ReadFile implements [fs.ReadFileFS].
func (a *Ahead) ReadFile(name string) ([]byte, error) {
	n := a.find(name)
	if n == nil || !n.read {
		return a.FS.ReadFile(name)
	}
	a.opened(name)
	return slices.Clone(n.text), nil
}

// Lstat implements [fs.ReadLinkFS].
func (a *Ahead) Lstat(name string) (fs.FileInfo, error) {
	if n := a.find(name); n != nil && (a.dirs[name] == nil || a.direct[name] && n.listed) {
		return n, nil
	}
	return a.FS.Lstat(name)
}

// Stat implements [fs.StatFS].
func (a *Ahead) Stat(name string) (fs.FileInfo, error) {
	if n := a.find(name); n != nil && (n.mode.IsRegular() || n.listed) {
		return n, nil
	}
	return a.FS.Stat(name)
}
