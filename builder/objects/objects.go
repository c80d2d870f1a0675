package objects

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"maps"
	"slices"
)

// Meta is what OSTree keeps of a file or directory beside its content.
type Meta struct {
	UID, GID uint32
	// Mode is st_mode, with the type.
	Mode uint32
	// Xattrs are the extended attributes by name, as bytes.
	Xattrs map[string]string
}

// DirMeta returns the object of a directory's owner, mode and extended attributes: a
// GVariant of the type (uuua(ayay)), see ostree-core.h (OSTREE_DIRMETA_GVARIANT_FORMAT).
func DirMeta(m Meta) []byte {
	return append(owner(nil, m), xattrs(m.Xattrs)...)
}

// FileHeader returns what a file's checksum is over before the content: the length of a
// header, and the header, a GVariant of the type (uuuusa(ayay)) with owner, mode, a zero,
// a symbolic link's target and the extended attributes (ostree-core.c,
// _ostree_file_header_new).
func FileHeader(m Meta, target string) []byte {
	return withLength(header(owner(nil, m), m, target))
}

// ArchiveHeader returns what a file's object begins with in a repository of mode
// archive: like [FileHeader], with the size in bytes before all (ostree-core.c,
// _ostree_zlib_file_header_new). The deflated content follows, if it is a regular
// file.
func ArchiveHeader(m Meta, target string, size int64) []byte {
	return withLength(header(owner(binary.BigEndian.AppendUint64(nil, uint64(size)), m), m, target))
}

func owner(b []byte, m Meta) []byte {
	for _, n := range []uint32{m.UID, m.GID, m.Mode} {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	return b
}

func header(b []byte, m Meta, target string) []byte {
	b = binary.BigEndian.AppendUint32(b, 0) // the device number of other files than OSTree has
	b = append(append(b, target...), 0)
	end := len(b)
	return WithOffsets(append(b, xattrs(m.Xattrs)...), end)
}

// withLength is how a variant is written into a stream (ostree-core.c,
// _ostree_write_variant_with_size): the length, four zero bytes, the variant.
func withLength(variant []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(variant)))
	return append(append(b, 0, 0, 0, 0), variant...)
}

// xattrs returns an a(ayay): names, each with a zero byte at its end, and values,
// sorted by name, as libostree sorts them.
func xattrs(of map[string]string) []byte {
	var elements [][]byte
	for _, name := range slices.Sorted(maps.Keys(of)) {
		e := append([]byte(name), 0)
		elements = append(elements, WithOffsets(append(e, of[name]...), len(name)+1))
	}
	return array(elements)
}

// FileSum begins a file's checksum, which its content completes.
func FileSum(m Meta, target string) hash.Hash {
	h := sha256.New()
	h.Write(FileHeader(m, target))
	return h
}

// Sum returns the checksum of an object with metadata, in hexadecimal.
func Sum(object []byte) string {
	sum := sha256.Sum256(object)
	return hex.EncodeToString(sum[:])
}
