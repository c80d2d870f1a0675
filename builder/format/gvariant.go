package format

import (
	"errors"
	"fmt"

	"github.com/treewright/treewright/builder/objects"
)

// errGVariant is a fault of the framing of containers, as the GVariant specification
// describes it.
var errGVariant = errors.New("not a GVariant of an OSTree repository")

func gvariantString(b []byte) (string, error) {
	if len(b) == 0 || b[len(b)-1] != 0 {
		return "", fmt.Errorf("%w: a string without its end", errGVariant)
	}
	return string(b[:len(b)-1]), nil
}

// gvariantArray divides an array whose elements have no fixed size, and begin at
// multiples of align.
func gvariantArray(b []byte, align int) ([][]byte, error) {
	if len(b) == 0 {
		return nil, nil
	}
	size := offsetSize(len(b))
	table := readOffset(b[len(b)-size:])
	if table > len(b) || (len(b)-table)%size != 0 || table == len(b) {
		return nil, errGVariant
	}
	var out [][]byte
	start := 0
	for at := table; at < len(b); at += size {
		end := readOffset(b[at : at+size])
		if start > end || end > table {
			return nil, errGVariant
		}
		out = append(out, b[start:end])
		start = (end + align - 1) / align * align
	}
	return out, nil
}

// gvariantEntry splits an entry {sv} into its key and its value, with the value's type, and
// other pairs of a string and a value that begins at a multiple of eight.
func gvariantEntry(e []byte) (key string, value []byte, err error) {
	size := offsetSize(len(e))
	if len(e) < size {
		return "", nil, errGVariant
	}
	keyEnd := readOffset(e[len(e)-size:])
	valueStart, valueEnd := (keyEnd+7)&^7, len(e)-size
	if keyEnd > len(e) || valueStart > valueEnd {
		return "", nil, errGVariant
	}
	key, err = gvariantString(e[:keyEnd])
	return key, e[valueStart:valueEnd], err
}

// withEntry returns a dictionary of the type a{sv}, whose entries are given, with a value for
// a key, in place of the one that it may have.
func withEntry(entries [][]byte, key string, value []byte, valueType string) ([]byte, error) {
	var kept [][]byte
	for _, e := range entries {
		have, _, err := gvariantEntry(e)
		if err != nil {
			return nil, err
		}
		if have != key {
			kept = append(kept, e)
		}
	}
	// An entry is a key, its value at a multiple of eight, and where the key ends.
	entry := append([]byte(key), 0)
	keyEnd := len(entry)
	entry = append(append(append(padded(entry, 8), value...), 0), valueType...)
	return gvariantContainer(append(kept, objects.WithOffsets(entry, keyEnd)), 8), nil
}

// gvariantContainer is an array of elements of no fixed size: each at a multiple of align,
// then where each ends.
func gvariantContainer(elements [][]byte, align int) []byte {
	var b []byte
	ends := make([]int, len(elements))
	for i, e := range elements {
		b = append(padded(b, align), e...)
		ends[i] = len(b)
	}
	return objects.WithOffsets(b, ends...)
}

func padded(b []byte, align int) []byte {
	for len(b)%align != 0 {
		b = append(b, 0)
	}
	return b
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
