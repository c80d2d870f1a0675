package layer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Store is a folder of results on this machine's disk:
//
//	results/KEY/{data/,result.json,log}   one folder a result
//	drafts/KEY.PID.N/                     what is being made
//	locks/KEY                             held while a result is being made
type Store struct {
	root string
}

// Result is what is known of a finished step besides its data.
type Result struct {
	Key      string        `json:"key"`
	Step     string        `json:"step"`
	Duration time.Duration `json:"duration_ns"`
	// Epoch is the newest build date of the packages that went in, in seconds
	// since 1970: the time that files made later claim to be from.
	Epoch int64 `json:"epoch"`
	// Facts are small named values that the step found out.
	Facts map[string]string `json:"facts,omitempty"`
	// Warnings are what the step had to say to the user, one line each. They are
	// kept so that they are said again when the result is reused.
	Warnings []string `json:"warnings,omitempty"`
	// Files are the step's artifacts, those of kind "file" with size and hash.
	Files []File `json:"files,omitempty"`
}

// File is an artifact in a result. Path is relative to the result's data,
// Modified its time in nanoseconds since 1970, for files that have a SHA256.
type File struct {
	Name     string `json:"name"`
	Path     string `json:"path"`
	Size     int64  `json:"size"`
	Modified int64  `json:"modified,omitempty"`
	SHA256   string `json:"sha256,omitempty"`
}

// overlayMagic is OVERLAYFS_SUPER_MAGIC of linux/magic.h.
const overlayMagic = 0x794c7630

// Open opens the store in the folder root (absolute), making it if needed.
func Open(root string) (*Store, error) {
	for _, dir := range []string{"results", "drafts", "locks"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			return nil, fmt.Errorf("open cache: %w", err)
		}
	}
	var st unix.Statfs_t
	if err := unix.Statfs(root, &st); err != nil {
		return nil, fmt.Errorf("open cache %s: %w", root, err)
	}
	if st.Type == overlayMagic {
		return nil, fmt.Errorf("the cache %s lies on an overlay file system (a container's root?), where layers cannot be made: "+
			"put it on a volume or another disk with --cache DIR or TREEWRIGHT_CACHE", root)
	}
	return &Store{root: root}, nil
}

// Root returns the store's folder.
func (s *Store) Root() string { return s.root }

func (s *Store) dir(key string) string { return filepath.Join(s.root, "results", key) }

// Data returns the folder of a result's data; it says nothing on whether there
// is one.
func (s *Store) Data(key string) string { return filepath.Join(s.dir(key), "data") }

// Log returns the path of the log of the step that made the result.
func (s *Store) Log(key string) string { return filepath.Join(s.dir(key), "log") }

// Get returns what is known of a result, and false if there is none, or if one
// of its artifacts was written to since: what a user gets are hard links, and a
// machine may have run from the disk image.
func (s *Store) Get(key string) (Result, bool, error) {
	var r Result
	raw, err := os.ReadFile(filepath.Join(s.dir(key), "result.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return r, false, nil
	}
	if err != nil {
		return r, false, fmt.Errorf("read result: %w", err)
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		return r, false, fmt.Errorf("read result %s: %w", s.dir(key), err)
	}
	for _, f := range r.Files {
		if f.SHA256 == "" {
			continue
		}
		info, err := os.Stat(filepath.Join(s.Data(key), f.Path))
		if err != nil || info.Size() != f.Size || info.ModTime().UnixNano() != f.Modified {
			return r, false, nil
		}
	}
	return r, true, nil
}

// Touch notes that a result was of use now, for [Store.Prune].
func (s *Store) Touch(key string) {
	now := time.Now()
	// Only a hint for pruning: a store that cannot be written still serves.
	_ = os.Chtimes(filepath.Join(s.dir(key), "result.json"), now, now)
}

// Lock waits until no other process makes the result of key, and keeps others
// from doing so until unlock is called. When it has to wait, it calls waiting
// first.
func (s *Store) Lock(key string, waiting func()) (unlock func(), err error) {
	return LockFile(filepath.Join(s.root, "locks", key), waiting)
}

// LockFile takes an exclusive lock on path, which it creates. The lock ends
// with the process. When it has to wait, it calls waiting first.
func LockFile(path string, waiting func()) (unlock func(), err error) {
	for {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|unix.O_CLOEXEC, 0o644)
		if err != nil {
			return nil, fmt.Errorf("lock: %w", err)
		}
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if errors.Is(err, unix.EWOULDBLOCK) {
			waiting()
			for err = unix.EINTR; errors.Is(err, unix.EINTR); {
				err = unix.Flock(int(f.Fd()), unix.LOCK_EX)
			}
		}
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		// Whoever held it may have removed the file: then this lock is on
		// nothing that another process could find.
		if sameFile(f, path) {
			return func() { f.Close() }, nil
		}
		f.Close()
	}
}

// sameFile says whether path still names the open file f.
func sameFile(f *os.File, path string) bool {
	a, err := f.Stat()
	if err != nil {
		return false
	}
	b, err := os.Lstat(path)
	return err == nil && os.SameFile(a, b)
}

// Draft is a result in the making.
type Draft struct {
	// Dir is the draft's folder; Data, Work and Scratch lie in it: what will
	// be stored, overlayfs's work directory, and room for temporary files.
	Dir, Data, Work, Scratch, Log string

	store *Store
	key   string
	lock  *os.File
}

// Begin starts a new result under key.
func (s *Store) Begin(key string) (*Draft, error) {
	dir, err := os.MkdirTemp(filepath.Join(s.root, "drafts"), key[:min(16, len(key))]+".")
	if err != nil {
		return nil, fmt.Errorf("begin result: %w", err)
	}
	d := &Draft{
		Dir: dir, Data: filepath.Join(dir, "data"), Work: filepath.Join(dir, "work"),
		Scratch: filepath.Join(dir, "scratch"), Log: filepath.Join(dir, "log"),
		store: s, key: key,
	}
	err = withoutACL(dir)
	for _, sub := range []string{d.Data, d.Work, d.Scratch} {
		if err == nil {
			err = plainDir(sub)
		}
	}
	if err != nil {
		d.Abort()
		return nil, fmt.Errorf("begin result: %w", err)
	}
	// Locked before it gets its name: a Sweep must not find it free.
	d.lock, err = os.OpenFile(filepath.Join(dir, "alive.new"), os.O_CREATE|os.O_RDWR|unix.O_CLOEXEC, 0o644)
	if err == nil {
		err = unix.Flock(int(d.lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	}
	if err == nil {
		err = os.Rename(d.lock.Name(), filepath.Join(dir, "alive"))
	}
	if err != nil {
		d.Abort()
		return nil, fmt.Errorf("begin result: %w", err)
	}
	return d, nil
}

// Commit stores the draft as the result. If another process stored the same
// key meanwhile, that one stays: the same key has the same content.
func (d *Draft) Commit(r Result) error {
	r.Key = d.key
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("store result: %w", err)
	}
	if err := os.WriteFile(filepath.Join(d.Dir, "result.json"), append(raw, '\n'), 0o644); err != nil {
		return fmt.Errorf("store result: %w", err)
	}
	// Mount points and temporary files have no place in a result.
	entries, err := os.ReadDir(d.Dir)
	if err != nil {
		return fmt.Errorf("store result: %w", err)
	}
	for _, e := range entries {
		if name := e.Name(); name == "data" || name == "log" || name == "result.json" {
			continue
		}
		if err := removeAll(filepath.Join(d.Dir, e.Name())); err != nil {
			return fmt.Errorf("store result: %w", err)
		}
	}
	err = unix.Renameat2(unix.AT_FDCWD, d.Dir, unix.AT_FDCWD, d.store.dir(d.key), unix.RENAME_NOREPLACE)
	d.lock.Close()
	if errors.Is(err, unix.EEXIST) {
		if _, good, gerr := d.store.Get(d.key); gerr != nil || good {
			return errors.Join(gerr, removeAll(d.Dir))
		}
		// What is there was damaged; see Get.
		if err = unix.Renameat2(unix.AT_FDCWD, d.Dir, unix.AT_FDCWD, d.store.dir(d.key), unix.RENAME_EXCHANGE); err == nil {
			return removeAll(d.Dir)
		}
	}
	if err != nil {
		return fmt.Errorf("store result: %w", err)
	}
	return nil
}

// Abort throws the draft away.
func (d *Draft) Abort() {
	if d.lock != nil {
		d.lock.Close()
	}
	// What is left is found by the next Sweep.
	_ = removeAll(d.Dir)
}

// Free returns the bytes that the store's file system has left.
func (s *Store) Free() (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(s.root, &st); err != nil {
		return 0, fmt.Errorf("ask for free space: %w", err)
	}
	return int64(st.Bavail) * st.Bsize, nil
}

// Sweep removes the drafts that killed processes left behind and returns how
// many there were.
func (s *Store) Sweep() (int, error) {
	drafts, err := os.ReadDir(filepath.Join(s.root, "drafts"))
	if err != nil {
		return 0, fmt.Errorf("sweep cache: %w", err)
	}
	swept := 0
	for _, d := range drafts {
		dir := filepath.Join(s.root, "drafts", d.Name())
		if draftAlive(dir) {
			continue
		}
		// It may have become a result this very moment.
		if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := removeAll(dir); err != nil {
			return swept, fmt.Errorf("sweep cache: %w", err)
		}
		swept++
	}
	return swept, nil
}

// draftAlive says whether a process holds the draft's lock. A draft so young
// that it has no lock yet is left alone as well.
func draftAlive(dir string) bool {
	f, err := os.Open(filepath.Join(dir, "alive"))
	if err != nil {
		info, serr := os.Stat(dir)
		return serr == nil && time.Since(info.ModTime()) < time.Minute
	}
	defer f.Close()
	return errors.Is(unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB), unix.EWOULDBLOCK)
}

// removeAll is os.RemoveAll for trees that hold what steps left: immutable
// files (a deployment's root), and directories without permissions.
func removeAll(dir string) error {
	err := os.RemoveAll(dir)
	if err == nil || !errors.Is(err, fs.ErrPermission) {
		return err
	}
	walkErr := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			return ClearImmutable(path)
		}
		return nil
	})
	if walkErr != nil {
		return walkErr
	}
	return os.RemoveAll(dir)
}

// immutableFlag is FS_IMMUTABLE_FL of linux/fs.h.
const immutableFlag = 0x10

// ClearImmutable is chattr -i (chattr(1)). A file system without such flags is
// fine.
func ClearImmutable(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	flags, err := unix.IoctlGetUint32(int(f.Fd()), unix.FS_IOC_GETFLAGS)
	if err != nil || flags&immutableFlag == 0 {
		return nil
	}
	if err := unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, int(flags&^uint32(immutableFlag))); err != nil {
		return fmt.Errorf("chattr -i %s: %w", path, err)
	}
	return nil
}

// Entry is one result as [Store.List] tells of it.
type Entry struct {
	Result
	Used time.Time
	// Size is the room its data takes on the disk, in bytes; hard links to
	// files outside the result count as well.
	Size int64
}

// List returns all results, with sizes if asked (which reads every folder).
func (s *Store) List(sizes bool) ([]Entry, error) {
	dirs, err := os.ReadDir(filepath.Join(s.root, "results"))
	if err != nil {
		return nil, fmt.Errorf("list cache: %w", err)
	}
	var entries []Entry
	for _, d := range dirs {
		r, ok, err := s.Get(d.Name())
		if err != nil || !ok {
			continue
		}
		e := Entry{Result: r}
		if info, err := os.Stat(filepath.Join(s.dir(d.Name()), "result.json")); err == nil {
			e.Used = info.ModTime()
		}
		if sizes {
			e.Size = DiskUsage(s.dir(d.Name()))
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// DiskUsage returns the room that dir takes on the disk, in bytes, a file with
// several links inside dir counted once. What cannot be read is left out.
func DiskUsage(dir string) int64 {
	var total int64
	seen := map[uint64]bool{}
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		var st unix.Stat_t
		if unix.Lstat(path, &st) != nil {
			return nil
		}
		if st.Nlink > 1 && !d.IsDir() {
			if seen[st.Ino] {
				return nil
			}
			seen[st.Ino] = true
		}
		total += st.Blocks * 512
		return nil
	})
	return total
}

// Remove removes the result of key, unless somebody is making it now.
func (s *Store) Remove(key string) error {
	if strings.ContainsAny(key, "/.") {
		return fmt.Errorf("remove result: %q is no key", key)
	}
	lock := filepath.Join(s.root, "locks", key)
	f, err := os.OpenFile(lock, os.O_CREATE|os.O_RDWR|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return fmt.Errorf("remove result: %w", err)
	}
	defer f.Close()
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("remove result: %w", err)
	}
	// First out of sight, then gone: a reader sees all of it or nothing.
	tomb, err := os.MkdirTemp(filepath.Join(s.root, "drafts"), "removed.")
	if err != nil {
		return fmt.Errorf("remove result: %w", err)
	}
	if err := os.Rename(s.dir(key), filepath.Join(tomb, key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove result: %w", err)
	}
	_ = os.Remove(lock)
	if err := removeAll(tomb); err != nil {
		return fmt.Errorf("remove result: %w", err)
	}
	return nil
}

// Links returns how many names a file has.
func Links(path string) (uint64, error) {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return 0, &fs.PathError{Op: "lstat", Path: path, Err: err}
	}
	return uint64(st.Nlink), nil
}
