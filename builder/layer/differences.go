package layer

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// Difference is how a file of one result differs from that of another.
type Difference struct {
	// Path is relative to the data of the results.
	Path string `json:"path"`
	// What lists what differs: type, content, mode, owner, time, attributes, target, size,
	// links; or "missing" for what only the first one has, and "added" for what only the
	// second one has.
	What []string `json:"what"`
	// Was and Is are the values of what differs first, unless it is content.
	Was string `json:"was,omitempty"`
	Is  string `json:"is,omitempty"`
}

// Index returns a digest of a result. Results with the same digest have the same files, except for
// when they were made.
func (s *Store) Index(key string) (string, error) {
	entries, err := s.entries(key)
	return digestOf(entries), err
}

// Content is [Store.Index] with the times of files, except for that of the directory that has all
// of the data: it is when the step ran.
func (s *Store) Content(key string) (string, error) {
	entries, err := s.entries(key)
	for i := range entries {
		e := &entries[i]
		if e.shared = false; e.path == "." {
			e.mtime = 0
		}
	}
	return hashBytes(formatIndex(entries)), err
}

// IndexOf returns the same of the data of a draft.
func IndexOf(d *Draft) (string, error) {
	entries, err := readIndex(d.Data, nil, false)
	return digestOf(entries), err
}

// digestOf leaves out whether a file is shared with others, because that depends on what else
// is in the store, when files were made, because no artifact has that, and what follows from the rest.
func digestOf(entries []entry) string {
	bare := make([]entry, len(entries))
	for i, e := range entries {
		e.shared, e.mtime, e.object = false, 0, ""
		bare[i] = e
	}
	return hashBytes(formatIndex(bare))
}

func (s *Store) entries(key string) ([]entry, error) {
	text, err := os.ReadFile(filepath.Join(s.dir(key), indexFile))
	if err != nil {
		return nil, fmt.Errorf("read the index of a result: %w", err)
	}
	return parseIndex(text)
}

// Differences compares the result of a key with the one in another store. Only their indices
// are read. The differences are in the order of paths.
func (s *Store) Differences(other *Store, key string) ([]Difference, error) {
	before, err1 := s.entries(key)
	after, err2 := other.entries(key)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	now := map[string]*entry{}
	for i := range after {
		now[after[i].path] = &after[i]
	}
	var found []Difference
	for i := range before {
		e := &before[i]
		there := now[e.path]
		delete(now, e.path)
		if there == nil {
			found = append(found, Difference{Path: e.path, What: []string{"missing"}})
		} else if d := e.against(there); len(d.What) > 0 {
			found = append(found, d)
		}
	}
	for i := range after {
		if now[after[i].path] != nil {
			found = append(found, Difference{Path: after[i].path, What: []string{"added"}})
		}
	}
	return found, nil
}

// against compares two entries of a path.
func (e *entry) against(o *entry) Difference {
	d := Difference{Path: e.path}
	if e.kind() != o.kind() {
		return Difference{e.path, []string{"type"}, kindName(e.kind()), kindName(o.kind())}
	}
	note := func(what, was, is string) {
		if was == is {
			return
		}
		if d.What = append(d.What, what); len(d.What) == 1 && what != "content" && what != "attributes" {
			d.Was, d.Is = was, is
		}
	}
	note("content", e.sum, o.sum)
	note("target", e.target, o.target)
	note("size", strconv.FormatInt(e.size, 10), strconv.FormatInt(o.size, 10))
	note("mode", fmt.Sprintf("%04o", e.mode&0o7777), fmt.Sprintf("%04o", o.mode&0o7777))
	note("owner", fmt.Sprintf("%d:%d", e.uid, e.gid), fmt.Sprintf("%d:%d", o.uid, o.gid))
	note("attributes", e.xattrs, o.xattrs)
	note("links", e.first, o.first)
	note("time", timeOf(e.mtime), timeOf(o.mtime))
	return d
}
