package layer

import (
	"errors"
	"io/fs"
	"os"
)

// CopyInto fills a draft with the data and the log of another result, by hard links, and returns
// the record of that result.
func (s *Store) CopyInto(d *Draft, key string) (Result, error) {
	r, ok, err := s.Get(key)
	if err != nil || !ok {
		return r, errors.Join(err, errors.New("the result to copy disappeared"))
	}
	if err := os.Remove(d.Data); err != nil {
		return r, err
	}
	if err := linkTree(s.Data(key), d.Data); err != nil {
		return r, err
	}
	log, err := s.Log(key)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return r, err
	}
	return r, os.WriteFile(d.Log, log, 0o644)
}
