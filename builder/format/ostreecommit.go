package format

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
)

// OSTreeCommit is what a commit object says, as far as Treewright asks.
type OSTreeCommit struct {
	// Parent is the parent's checksum in hexadecimal, "" for a first commit.
	Parent  string
	Subject string
	// Timestamp is in seconds since 1970.
	Timestamp int64
	// Tree identifies the committed tree: the checksums of its root's contents
	// and metadata, in hexadecimal, joined by a dot.
	Tree string
	// Metadata holds the entries whose value is a string.
	Metadata map[string]string
}

// errCommit reports that bytes are not a commit object.
var errCommit = errors.New("not an OSTree commit object")

// ParseOSTreeCommit reads a commit object: a serialised GVariant of type
// (a{sv}aya(say)sstayay), see ostree-core.h (OSTREE_COMMIT_GVARIANT_FORMAT) and
// the GVariant specification for the framing.
func ParseOSTreeCommit(b []byte) (*OSTreeCommit, error) {
	// Of the eight members six have no fixed size, the last one needs no
	// offset: metadata, parent, related, subject, body and root contents have
	// framing offsets, stored at the end in reverse order.
	size := offsetSize(len(b))
	ends := make([]int, 6)
	for i := range ends {
		at := len(b) - (i+1)*size
		if at < 0 {
			return nil, errCommit
		}
		ends[i] = readOffset(b[at : at+size])
	}
	limit := len(b) - len(ends)*size
	start := 0
	var members [6][]byte
	for i, end := range ends {
		switch i {
		case 5:
			// The timestamp, eight bytes at a multiple of eight, comes between
			// body and root contents.
			start = (start+7)&^7 + 8
		}
		if start > end || end > limit {
			return nil, errCommit
		}
		members[i] = b[start:end]
		start = end
	}
	stamp := (ends[4] + 7) &^ 7
	c := &OSTreeCommit{Metadata: map[string]string{}}
	c.Timestamp = int64(binary.BigEndian.Uint64(b[stamp : stamp+8]))
	switch len(members[1]) {
	case 0:
	case 32:
		c.Parent = hex.EncodeToString(members[1])
	default:
		return nil, fmt.Errorf("%w: parent of %d bytes", errCommit, len(members[1]))
	}
	c.Tree = hex.EncodeToString(members[5]) + "." + hex.EncodeToString(b[start:limit])
	var err error
	if c.Subject, err = gvariantString(members[3]); err != nil {
		return nil, err
	}
	return c, readMetadata(members[0], c.Metadata)
}

// SetSummaryTime overwrites the time in a summary file (ostree-repo.h,
// OSTREE_SUMMARY_GVARIANT_FORMAT) at which ostree says to have made it, so that
// the same repository has the same summary whenever it is made.
func SetSummaryTime(summary []byte, seconds int64) error {
	key := []byte("ostree.summary.last-modified\x00")
	at := bytes.Index(summary, key)
	if at < 0 {
		return errors.New("the summary has no time")
	}
	// The value is a variant: eight bytes at a multiple of eight, big-endian,
	// a zero byte, and the type "t".
	at = (at + len(key) + 7) &^ 7
	if at+10 > len(summary) || summary[at+8] != 0 || summary[at+9] != 't' {
		return errors.New("the summary's time is not at its usual place")
	}
	binary.BigEndian.PutUint64(summary[at:], uint64(seconds))
	return nil
}

// CheckOSTreeMetadata reports whether bytes are a dictionary as ostree writes it
// beside commits (a{sv}), as far as that shows.
func CheckOSTreeMetadata(b []byte) error { return readMetadata(b, map[string]string{}) }

// readMetadata reads an a{sv}. The array's offsets give the end of each entry,
// each entry's offset the end of its key; a value begins at a multiple of eight.
func readMetadata(b []byte, into map[string]string) error {
	entries, err := gvariantArray(b, 8)
	if err != nil {
		return errCommit
	}
	for _, e := range entries {
		key, v, err := gvariantEntry(e)
		if err != nil {
			return errCommit
		}
		// A variant is its value, a zero byte, its type.
		if len(v) >= 3 && v[len(v)-1] == 's' && v[len(v)-2] == 0 {
			if into[key], err = gvariantString(v[:len(v)-2]); err != nil {
				return err
			}
		}
	}
	return nil
}
