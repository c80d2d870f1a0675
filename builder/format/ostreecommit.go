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

// errCommit says that bytes are not a commit object.
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

// CheckOSTreeMetadata says whether bytes are a dictionary as ostree writes it
// beside commits (a{sv}), as far as that shows.
func CheckOSTreeMetadata(b []byte) error { return readMetadata(b, map[string]string{}) }

// readMetadata reads an a{sv}. The array's offsets give the end of each entry,
// each entry's offset the end of its key; a value begins at a multiple of eight.
func readMetadata(b []byte, into map[string]string) error {
	if len(b) == 0 {
		return nil
	}
	size := offsetSize(len(b))
	if len(b) < size {
		return errCommit
	}
	table := readOffset(b[len(b)-size:])
	if table > len(b) || (len(b)-table)%size != 0 {
		return errCommit
	}
	start := 0
	for at := table; at < len(b); at += size {
		end := readOffset(b[at : at+size])
		if start > end || end > table {
			return errCommit
		}
		if err := readEntry(b[start:end], into); err != nil {
			return err
		}
		start = (end + 7) &^ 7
	}
	return nil
}

func readEntry(e []byte, into map[string]string) error {
	size := offsetSize(len(e))
	if len(e) < size {
		return errCommit
	}
	keyEnd := readOffset(e[len(e)-size:])
	valueStart, valueEnd := (keyEnd+7)&^7, len(e)-size
	if keyEnd > len(e) || valueStart > valueEnd {
		return errCommit
	}
	key, err := gvariantString(e[:keyEnd])
	if err != nil {
		return err
	}
	// A variant is its value, a zero byte, its type.
	if v := e[valueStart:valueEnd]; len(v) >= 3 && v[len(v)-1] == 's' && v[len(v)-2] == 0 {
		if into[key], err = gvariantString(v[:len(v)-2]); err != nil {
			return err
		}
	}
	return nil
}

func gvariantString(b []byte) (string, error) {
	if len(b) == 0 || b[len(b)-1] != 0 {
		return "", fmt.Errorf("%w: a string without its end", errCommit)
	}
	return string(b[:len(b)-1]), nil
}

// offsetSize is the size of a container's framing offsets.
func offsetSize(n int) int {
	switch {
	case n <= 0xff:
		return 1
	case n <= 0xffff:
		return 2
	case n <= 0xffffffff:
		return 4
	}
	return 8
}

// readOffset reads a little-endian offset; one that is too large for any
// buffer comes out as the largest int and fails every comparison.
func readOffset(b []byte) int {
	var v uint64
	for i := len(b) - 1; i >= 0; i-- {
		v = v<<8 | uint64(b[i])
	}
	if v > 1<<40 {
		return 1 << 40
	}
	return int(v)
}
