package objects

import "encoding/binary"

// array is a GVariant array of elements of no fixed size that begin anywhere: the
// elements, then where each ends.
func array(elements [][]byte) []byte {
	var b []byte
	ends := make([]int, len(elements))
	for i, e := range elements {
		b = append(b, e...)
		ends[i] = len(b)
	}
	return WithOffsets(b, ends...)
}

// WithOffsets adds framing offsets of the smallest size with which the whole, with
// them, can be counted.
func WithOffsets(b []byte, offsets ...int) []byte {
	size := 1
	for size < 8 && uint64(len(b)+size*len(offsets)) >= 1<<(8*size) {
		size *= 2
	}
	for _, end := range offsets {
		var le [8]byte
		binary.LittleEndian.PutUint64(le[:], uint64(end))
		b = append(b, le[:size]...)
	}
	return b
}
