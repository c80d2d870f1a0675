package layer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Remove removes the result of key, unless somebody holds it or used it after
// the time idle, and reports whether it did.
func (s *Store) Remove(key string, idle time.Time) (bool, error) {
	if strings.ContainsAny(key, "/.") {
		return false, fmt.Errorf("remove result: %q is not a key", key)
	}
	return Discard(s.dir(key), filepath.Join(s.root, "drafts"), func() bool { return !s.used(key).After(idle) })
}

// Used returns when a result was of use last, and whether it is one as far as a
// look at its directory tells; see [Store.Get].
func (s *Store) Used(key string) (last time.Time, sound bool) {
	_, err := os.Lstat(filepath.Join(s.dir(key), damagedFile))
	last = s.used(key)
	return last, !last.IsZero() && errors.Is(err, fs.ErrNotExist)
}

// used returns when a result was of use last; of one that lost its record, the
// beginning of time.
func (s *Store) used(key string) time.Time {
	info, err := os.Stat(filepath.Join(s.dir(key), resultFile))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}
