package layer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// HandedOut is the record of a file or directory that was copied out of the
// store for the user, who may change it. By it a later build knows,
// without reading it, whether it is still what it was.
type HandedOut struct {
	// Path is where the copy is, Record where the record of it is kept.
	Path, Record string
	// Of identifies the content.
	Of string
}

// handedOut is the record as JSON.
type handedOut struct {
	Of    string `json:"of"`
	Index string `json:"index"`
	Seen  []byte `json:"seen"`
}

// Note records the copy as it is now. known are SHA-256 sums of its files, by
// their paths in it, "." for a file that is the copy itself; the others are read.
func (h HandedOut) Note(known map[string]string) error {
	entries, err := readIndex(h.Path, known, false)
	if err != nil {
		return fmt.Errorf("note what was published: %w", err)
	}
	for i := range entries {
		// Its owner may have given it more names; nobody changes it by that.
		entries[i].shared = false
	}
	return h.write(entries)
}

func (h HandedOut) write(entries []entry) error {
	raw, err := json.Marshal(handedOut{Of: h.Of, Index: string(formatIndex(entries)), Seen: formatSeen(entries)})
	if err != nil {
		return fmt.Errorf("note what was published: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(h.Record), 0o700); err != nil {
		return fmt.Errorf("note what was published: %w", err)
	}
	if err := os.WriteFile(h.Record, raw, 0o600); err != nil {
		return fmt.Errorf("note what was published: %w", err)
	}
	return nil
}

// Same reports whether the copy is there and as it was recorded, for the content
// that is wanted now. If it is not because somebody has changed it since, edited
// says how. Without a record that can be read it is not the same.
func (h HandedOut) Same() (same bool, edited string, err error) {
	var record handedOut
	raw, err := os.ReadFile(h.Record)
	if errors.Is(err, fs.ErrNotExist) || err == nil && json.Unmarshal(raw, &record) != nil {
		return false, "", nil
	}
	if err != nil {
		return false, "", fmt.Errorf("read what was published: %w", err)
	}
	entries, err := parseIndex([]byte(record.Index))
	if err != nil {
		return false, "", nil
	}
	if _, err := os.Lstat(h.Path); errors.Is(err, fs.ErrNotExist) {
		return false, "", nil // it was removed on purpose
	}
	parseSeen(record.Seen, entries)
	var damage Damage
	fresh, err := compareAll(h.Path, entries, false, &damage)
	switch {
	case err != nil:
		return false, "", fmt.Errorf("look at what was published: %w", err)
	case damage.How != "":
		return false, filepath.Clean(damage.Path) + " " + damage.How, nil
	case record.Of != h.Of:
		return false, "", nil
	case fresh:
		err = h.write(entries)
	}
	return true, "", err
}
