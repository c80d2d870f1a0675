package layer

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"golang.org/x/sys/unix"
)

var errChanged = errors.New("changed")

// Recheck reports whether a result is still what [Store.Check] found or a [Draft]
// became in this process: a *[Damage] if not. It is for a caller that has worked on
// it meanwhile, and costs one lstat(2) a file.
func (s *Store) Recheck(key string) error {
	known, ok := s.good.Load(key)
	if !ok {
		return s.inspect(key, false)
	}
	entries, at := known.([]entry), openDir(s.Data(key))
	defer at.close()
	err := OnAllCores(len(entries), func(i int) error {
		e := &entries[i]
		var st unix.Stat_t
		if at.lstat(e.path, &st) != nil {
			return errChanged
		}
		is := entryOf(e.path, &st)
		// Names given elsewhere change the ctime of a file that is shared.
		if is.seen == e.seen || e.shared && is.Inode == e.Inode && e.differs(&is) == "" {
			return nil
		}
		return errChanged
	})
	if err == nil {
		return nil
	}
	s.good.Delete(key)
	if _, ok, err := s.Get(key); err != nil || !ok {
		return errors.Join(err, &Damage{Key: key, Step: key, Path: s.Data(key), How: "is missing"})
	}
	return s.inspect(key, false)
}

// Fingerprint is a text that changes with whatever is done to the files at path
// and below: it is made of their names, inodes and ctimes. The times of path
// itself, if it is a directory, do not count: by them it is noted that a snapshot
// was of use.
func Fingerprint(path string) (string, error) {
	h := sha256.New()
	err := filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		var st unix.Stat_t
		if err := unix.Lstat(name, &st); err != nil {
			return &fs.PathError{Op: "lstat", Path: name, Err: err}
		}
		if name == path && d.IsDir() {
			st.Ctim = unix.Timespec{}
		}
		fmt.Fprintf(h, "%q %d %d\n", name, st.Ino, st.Ctim.Nano())
		return nil
	})
	return hex.EncodeToString(h.Sum(nil)), err
}
