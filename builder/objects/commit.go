package objects

import (
	"encoding/hex"
	"fmt"
)

// BareCommit returns a commit object that has only a tree, given by the
// checksums of its root's content and metadata, in hexadecimal: a GVariant of the type
// (a{sv}aya(say)sstayay), see ostree-core.h (OSTREE_COMMIT_GVARIANT_FORMAT).
func BareCommit(contents, meta string) ([]byte, error) {
	tree, err := hex.DecodeString(contents)
	if err != nil {
		return nil, fmt.Errorf("tree of a commit: %w", err)
	}
	owner, err := hex.DecodeString(meta)
	if err != nil {
		return nil, fmt.Errorf("tree of a commit: %w", err)
	}
	// No metadata, no parent, no related objects; subject and body are empty strings,
	// each one zero byte; the time is eight bytes at a multiple of eight.
	b := make([]byte, 16)
	b = append(b, tree...)
	end := len(b)
	return WithOffsets(append(b, owner...), end, 2, 1, 0, 0, 0), nil
}
