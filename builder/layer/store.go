package layer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Store is a directory of results on this machine's disk:
//
//	results/KEY/{data/,result.json,log}   one directory a result
//	results/KEY/{index,seen}              what its data was when it was made
//	results/KEY/damaged                   why it does not count any more; see [Store.Condemn]
//	results/KEY/looks                     what the step looked at; see [Looks]
//	looks/KIND/KEY                        leads to a result by what it looked at
//	drafts/KEY.PID.N/                     what is being made
//	locks/KEY                             held while a result is being made
//
// What [Store.Get] has found, and what a [Draft] has become, is held until
// [Store.Close]: nothing removes it meanwhile (see [Store.Hold]).
type Store struct {
	root  string
	holds Holds
	// good has the indices ([]entry) of results that are known to be as they were
	// made, by key.
	good sync.Map
}

// Result is what is known of a finished step besides its data.
type Result struct {
	// Sum is the SHA-256 of the record itself, written without it, and Index
	// that of the index. Both are filled in when the result is stored.
	Sum   string `json:"sum"`
	Index string `json:"index"`

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
	// Earlier are the warnings of the steps before it, by step: their results may be gone, or on another
	// machine, when this one is reused.
	Earlier map[string][]string `json:"earlier,omitempty"`
	// Files are the step's artifacts, those of kind "file" with size and hash.
	Files []File `json:"files,omitempty"`
}

// File is an artifact in a result. Path is relative to the result's data.
type File struct {
	Name   string `json:"name"`
	Path   string `json:"path"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256,omitempty"`
}

// overlayMagic is OVERLAYFS_SUPER_MAGIC of linux/magic.h.
const overlayMagic = 0x794c7630

// storeMode is the mode of the store's directory: layers hold programs that run
// as root for anyone who starts them (setuid), of versions that nobody updates.
const storeMode = 0o700

// ErrOverlay is that the store would be where no layers can be made.
var ErrOverlay = errors.New("on an overlay file system")

// Open opens the store in the directory root (absolute), making it if needed.
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
	spread(filepath.Join(root, "drafts"))
	var st unix.Statfs_t
	if err := unix.Statfs(root, &st); err != nil {
		return nil, fmt.Errorf("open cache %s: %w", root, err)
	}
	if st.Type == overlayMagic {
		return nil, fmt.Errorf("the cache %s is %w (a container's root?), where layers cannot be made: "+
			"put it on a volume or another disk with --cache DIR or TREEWRIGHT_CACHE", root, ErrOverlay)
	}
	return &Store{root: root}, nil
}

func (s *Store) dir(key string) string { return filepath.Join(s.root, "results", key) }

// Data returns the directory of a result's data; it says nothing on whether there
// is one.
func (s *Store) Data(key string) string { return filepath.Join(s.dir(key), "data") }

// Open returns the directory of a result's data, which is here.
func (s *Store) Open(key string) (string, error) { return s.Data(key), nil }

// Log returns the log of the step that made the result.
func (s *Store) Log(key string) ([]byte, error) { return os.ReadFile(filepath.Join(s.dir(key), "log")) }

// Get returns what is known of a result, and false if there is none. A record
// that cannot be understood, or is not what was written, does not count: a power cut
// or the disk took it. Whether the data is good is for [Store.Check] to say.
func (s *Store) Get(key string) (Result, bool, error) {
	if there, err := s.Hold(s.dir(key)); err != nil || !there {
		return Result{}, false, err
	}
	return s.look(key)
}

// look is Get that does not hold what it finds.
func (s *Store) look(key string) (Result, bool, error) {
	raw, err := os.ReadFile(filepath.Join(s.dir(key), resultFile))
	if errors.Is(err, fs.ErrNotExist) {
		return Result{}, false, nil
	}
	if err != nil {
		return Result{}, false, fmt.Errorf("read result: %w", err)
	}
	r, ok := unseal(raw)
	if !ok || r.Key != key {
		return Result{}, false, nil
	}
	if _, err := os.Lstat(filepath.Join(s.dir(key), damagedFile)); err == nil {
		return Result{}, false, nil
	}
	return r, true, nil
}

// resultFile is the record of a result.
const resultFile = "result.json"

// seal writes a result's record, with its own hash in it.
func seal(r Result) ([]byte, error) {
	r.Sum = ""
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return nil, err
	}
	return bytes.Replace(raw, sumField(""), sumField(hashBytes(raw)), 1), nil
}

// unseal reads what seal wrote; false if it is something else.
func unseal(raw []byte) (r Result, ok bool) {
	if json.Unmarshal(raw, &r) != nil {
		return r, false
	}
	return r, hashBytes(bytes.Replace(raw, sumField(r.Sum), sumField(""), 1)) == r.Sum
}

// sumField is the first line of a record in JSON.
func sumField(sum string) []byte { return []byte(`"sum": "` + sum + `"`) }

// Touch notes that a result was used now; space is freed from the oldest.
func (s *Store) Touch(key string) {
	now := time.Now()
	// Only a hint for pruning: a store that cannot be written still serves.
	_ = os.Chtimes(filepath.Join(s.dir(key), resultFile), now, now)
}

// FreeSpace returns the bytes that are left on the file system that holds path.
func FreeSpace(path string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return 0, fmt.Errorf("ask for free space: %w", err)
	}
	return int64(st.Bavail) * st.Bsize, nil
}

// damagedFile is there in a result that was condemned, and says why.
const damagedFile = "damaged"
