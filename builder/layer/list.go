package layer

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Entry is one result as [Store.List] tells of it.
type Entry struct {
	Result
	Used time.Time
	// Size is the space its data takes on the disk, in bytes; hard links to
	// files outside the result count as well.
	Size int64
}

// Keys returns the keys of all that is there, good or not.
func (s *Store) Keys() ([]string, error) {
	dirs, err := os.ReadDir(filepath.Join(s.root, "results"))
	if err != nil {
		return nil, fmt.Errorf("list cache: %w", err)
	}
	keys := make([]string, len(dirs))
	for i, d := range dirs {
		keys[i] = d.Name()
	}
	return keys, nil
}

// Useless returns the keys of what is not a result: damaged, or left by another
// version of this program.
func (s *Store) Useless() ([]string, error) {
	keys, err := s.Keys()
	var useless []string
	for _, key := range keys {
		if _, ok, err := s.look(key); err == nil && !ok {
			useless = append(useless, key)
		}
	}
	return useless, err
}

// List returns all results, with sizes if asked (which reads every directory).
func (s *Store) List(sizes bool) ([]Entry, error) {
	keys, err := s.Keys()
	if err != nil {
		return nil, err
	}
	var entries []Entry
	for _, key := range keys {
		r, ok, err := s.look(key)
		if err != nil || !ok {
			continue
		}
		e := Entry{Result: r, Used: s.used(key)}
		if sizes {
			e.Size = DiskUsage(s.dir(key))
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// Having returns the paths of what is called name in the data of results, of all
// that have it.
func (s *Store) Having(name string) ([]string, error) {
	return Glob(filepath.Join(s.root, "results"), "*/data/"+name)
}

// DiskUsage returns the space that dir takes on the disk, in bytes, a file with
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

// OwnUsage is [DiskUsage] without files that have names outside dir as well, so
// that to remove dir gives as much space back; shared reports whether there are any.
func OwnUsage(dir string) (bytes int64, shared bool) {
	type file struct{ names, inside, bytes int64 }
	files := map[uint64]*file{}
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		var st unix.Stat_t
		if err != nil || unix.Lstat(path, &st) != nil {
			return nil
		}
		if st.Nlink == 1 || d.IsDir() {
			bytes += st.Blocks * 512
			return nil
		}
		if files[st.Ino] == nil {
			files[st.Ino] = &file{names: int64(st.Nlink), bytes: st.Blocks * 512}
		}
		files[st.Ino].inside++
		return nil
	})
	for _, f := range files {
		if f.inside < f.names && f.bytes > 0 {
			shared = true
		} else {
			bytes += f.bytes
		}
	}
	return bytes, shared
}
