package format

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"

	"github.com/treewright/treewright/builder/objects"
)

var errDelta = errors.New("not the superblock of a static delta")

// OSTreeDelta is what the superblock of a static delta lists, as far as it shows what is
// downloaded.
type OSTreeDelta struct {
	// Parts is how many files the content is in: 0, 1, ...
	Parts int
	// Fallbacks are the objects that are fetched as they are in the repository, as SUM.KIND
	// of an archive repository.
	Fallbacks []string
}

// deltaKinds are the kinds of objects by their numbers, OstreeObjectType of ostree-core.h.
var deltaKinds = map[byte]string{1: "filez", 2: "dirtree", 3: "dirmeta", 4: "commit"}

// deltaOffsets is how many framing offsets a superblock has.
const deltaOffsets = 6

// SetOSTreeDeltaTime gives a superblock, which is changed in place, a time, in seconds since 1970. It is
// big-endian, after the metadata, which come first and whose framing offset is last.
func SetOSTreeDeltaTime(b []byte, seconds int64) error {
	size := offsetSize(len(b))
	if len(b) < deltaOffsets*size {
		return errDelta
	}
	at := (readOffset(b[len(b)-size:]) + 7) &^ 7
	if at+8 > len(b)-deltaOffsets*size {
		return errDelta
	}
	binary.BigEndian.PutUint64(b[at:], uint64(seconds))
	return nil
}

// WithCommitMetadata returns a superblock that also has what belongs to the commit that it
// leads to and is not part of it: signatures, the content of a file .commitmeta. Machines that check them take no
// delta without. dir is the path of the delta in the repository, see
// ostree_repo_static_delta_generate in ostree-repo-static-delta-compilation.c.
func WithCommitMetadata(b []byte, dir string, meta []byte) ([]byte, error) {
	size := offsetSize(len(b))
	limit := len(b) - deltaOffsets*size
	if limit < 0 {
		return nil, errDelta
	}
	end := readOffset(b[len(b)-size:])
	rest := (end + 7) &^ 7
	if rest > limit {
		return nil, errDelta
	}
	entries, err := gvariantArray(b[:end], 8)
	if err != nil {
		return nil, err
	}
	metadata, err := withEntry(entries, dir+"/commitmeta", meta, "a{sv}")
	if err != nil {
		return nil, err
	}
	offsets := make([]int, deltaOffsets)
	out := padded(slices.Clone(metadata), 8)
	for i := range offsets {
		offsets[i] = readOffset(b[limit+i*size:limit+(i+1)*size]) + len(out) - rest
	}
	offsets[deltaOffsets-1] = len(metadata)
	return objects.WithOffsets(append(out, b[rest:limit]...), offsets...), nil
}

// ParseOSTreeDelta reads a superblock, see ostree-repo-static-delta-private.h
// (OSTREE_STATIC_DELTA_SUPERBLOCK_FORMAT): metadata, time, from, to, the commit,
// prerequisites, parts and fallbacks, of which all but the time and the last have
// framing offsets.
func ParseOSTreeDelta(b []byte) (*OSTreeDelta, error) {
	size := offsetSize(len(b))
	limit := len(b) - deltaOffsets*size
	if limit < 0 {
		return nil, errDelta
	}
	// The last two: where the prerequisites and the parts end.
	before, parts := readOffset(b[limit+size:limit+2*size]), readOffset(b[limit:limit+size])
	if before > parts || parts > limit {
		return nil, errDelta
	}
	start := func(end int) int { return (end + 7) &^ 7 }
	d := &OSTreeDelta{}
	if start(before) < parts {
		list, err := gvariantArray(b[start(before):parts], 8)
		if err != nil {
			return nil, errDelta
		}
		d.Parts = len(list)
	}
	if start(parts) >= limit {
		return d, nil
	}
	list, err := gvariantArray(b[start(parts):limit], 8)
	if err != nil {
		return nil, errDelta
	}
	for _, e := range list {
		// The kind, the checksum, and two sizes.
		const sum = 32
		if len(e) < 1+sum || deltaKinds[e[0]] == "" {
			return nil, errDelta
		}
		d.Fallbacks = append(d.Fallbacks, hex.EncodeToString(e[1:1+sum])+"."+deltaKinds[e[0]])
	}
	return d, nil
}
