package layer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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

// storeMode is the mode of the store's directory: layers hold programs that run
// as root for whoever starts them (setuid), of versions that nobody updates.
const storeMode = 0o700

// Open opens the store in the folder root (absolute), making it if needed.
func Open(root string) (*Store, error) {
	if err := os.MkdirAll(root, storeMode); err != nil {
		return nil, fmt.Errorf("open cache: %w", err)
	}
	// An earlier version left it open.
	if err := os.Chmod(root, storeMode); err != nil {
		return nil, fmt.Errorf("open cache: %w", err)
	}
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

// Free returns the bytes that the store's file system has left.
func (s *Store) Free() (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(s.root, &st); err != nil {
		return 0, fmt.Errorf("ask for free space: %w", err)
	}
	return int64(st.Bavail) * st.Bsize, nil
}
