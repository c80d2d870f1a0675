package format

import (
	"bufio"
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/treewright/treewright/builder/objects"
)

var (
	errDirTree = errors.New("not an OSTree directory object")
	errFilez   = errors.New("not a file object of an OSTree archive repository")
)

// ParseOSTreeDir reads a directory object (dirtree): a serialised GVariant of
// type (a(say)a(sayay)), see ostree-core.h (OSTREE_TREE_GVARIANT_FORMAT).
func ParseOSTreeDir(b []byte) (*objects.Dir, error) {
	size := offsetSize(len(b))
	if len(b) < size {
		return nil, errDirTree
	}
	end := readOffset(b[len(b)-size:])
	if end > len(b)-size {
		return nil, errDirTree
	}
	d := &objects.Dir{Files: map[string]string{}, Dirs: map[string]string{}, Metas: map[string]string{}}
	if err := readEntries(b[:end], d.Files); err != nil {
		return nil, err
	}
	return d, readEntries(b[end:len(b)-size], d.Dirs, d.Metas)
}

// readEntries reads an array of a name and a checksum for each of into.
func readEntries(b []byte, into ...map[string]string) error {
	sums := len(into)
	if len(b) == 0 {
		return nil
	}
	size := offsetSize(len(b))
	if len(b) < size {
		return errDirTree
	}
	table := readOffset(b[len(b)-size:])
	if table > len(b) || (len(b)-table)%size != 0 {
		return errDirTree
	}
	start := 0
	for at := table; at < len(b); at += size {
		end := readOffset(b[at : at+size])
		if start > end || end > table {
			return errDirTree
		}
		e := b[start:end]
		// The offsets of all members but the last are at the end, the first
		// member's last.
		framing := offsetSize(len(e))
		name := 0
		if len(e) >= sums*framing {
			name = readOffset(e[len(e)-framing:])
		}
		if name == 0 || name+sums*sha256.Size+sums*framing != len(e) {
			return errDirTree
		}
		text, err := gvariantString(e[:name])
		if err != nil {
			return err
		}
		for i, sums := range into {
			sums[text] = hex.EncodeToString(e[name+i*sha256.Size:][:sha256.Size])
		}
		start = end
	}
	return nil
}

// ReadOSTreeFile reads a regular file's object of an archive repository and
// returns its content of at most limit bytes. The object has to
// have the checksum sum, in hexadecimal.
func ReadOSTreeFile(r io.Reader, sum string, limit int64) ([]byte, error) {
	header, err := readFileHeader(r)
	if err != nil {
		return nil, err
	}
	if !header.regular() {
		return nil, errors.New("not a regular file")
	}
	content, err := io.ReadAll(io.LimitReader(flate.NewReader(r), limit+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errFilez, err)
	}
	if int64(len(content)) > limit {
		return nil, fmt.Errorf("the file has more than %d bytes", limit)
	}
	h, err := header.digest()
	if err != nil {
		return nil, err
	}
	h.Write(content)
	return content, compareSum(h, sum)
}

// CheckOSTreeObject reads an object of an archive repository to its end and reports
// a fault: it must be whole and have the checksum sum, in
// hexadecimal. Kind is the ending of its file's name: commit, dirtree, dirmeta
// or filez.
func CheckOSTreeObject(r io.Reader, sum, kind string) error {
	if kind != "filez" {
		h := sha256.New()
		if _, err := io.Copy(h, r); err != nil {
			return err
		}
		return compareSum(h, sum)
	}
	return CopyOSTreeFile(io.Discard, r, sum)
}

// CopyOSTreeFile reads the object of a file of an archive repository to its end, and writes the content of a regular
// file to w. It checks the object like [CheckOSTreeObject], so the written content is valid only without an error.
func CopyOSTreeFile(w io.Writer, r io.Reader, sum string) error {
	// flate reads beyond its end from a reader without ReadByte.
	in := bufio.NewReaderSize(r, 64<<10)
	header, err := readFileHeader(in)
	if err != nil {
		return err
	}
	h, err := header.digest()
	if err != nil {
		return err
	}
	var n int64
	if header.regular() {
		if n, err = io.Copy(io.MultiWriter(h, w), flate.NewReader(in)); err != nil {
			return fmt.Errorf("%w: %w", errFilez, err)
		}
	}
	// The checksum does not cover the size, but clients rely on the size.
	if size := binary.BigEndian.Uint64(header); uint64(n) != size {
		return fmt.Errorf("%w: its header says %d bytes, but it has %d", errFilez, size, n)
	}
	if _, err := in.ReadByte(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: there is data after its end", errFilez)
	}
	return compareSum(h, sum)
}

func compareSum(h hash.Hash, sum string) error {
	if got := hex.EncodeToString(h.Sum(nil)); got != sum {
		return fmt.Errorf("the object has the checksum %s, not %s", got, sum)
	}
	return nil
}

// fileHeader is the beginning of a file's object: the length of a header,
// big-endian in 4 bytes, 4 zero bytes, and the header itself, which this is: a
// GVariant of type (tuuuusa(ayay)): size, owner, group, mode, a zero, a link's
// target, extended attributes. The deflated content follows, for a regular
// file. The checksum is over the same without the size, and over the content as
// it is (ostree-core.c).
type fileHeader []byte

func readFileHeader(r io.Reader) (fileHeader, error) {
	var lengths [8]byte
	if _, err := io.ReadFull(r, lengths[:]); err != nil {
		return nil, errFilez
	}
	const sizes, largest = 8, 1 << 20
	length := binary.BigEndian.Uint32(lengths[:])
	if length < sizes+16 || length > largest || binary.BigEndian.Uint32(lengths[4:]) != 0 {
		return nil, errFilez
	}
	header := make(fileHeader, length)
	if _, err := io.ReadFull(r, header); err != nil {
		return nil, errFilez
	}
	return header, nil
}

// regular compares with S_IFMT and S_IFREG of inode(7).
func (h fileHeader) regular() bool { return binary.BigEndian.Uint32(h[16:])&0o170000 == 0o100000 }

// digest begins the object's checksum.
func (h fileHeader) digest() (hash.Hash, error) {
	plain, err := withoutSize(h)
	if err != nil {
		return nil, err
	}
	sum := sha256.New()
	binary.Write(sum, binary.BigEndian, [2]uint32{uint32(len(plain)), 0})
	sum.Write(plain)
	return sum, nil
}

// withoutSize is the header without its first member: offsets from the start are
// smaller by the length of this member.
func withoutSize(header []byte) ([]byte, error) {
	const moved = 8
	framing := offsetSize(len(header))
	at := readOffset(header[len(header)-framing:])
	if at < moved || at > len(header) {
		return nil, errFilez
	}
	plain := bytes.Clone(header[moved : len(header)-framing])
	// The length of the offset depends on the whole, the offset included.
	for size := 1; size <= 8; size *= 2 {
		if offsetSize(len(plain)+size) == size {
			var offset [8]byte
			binary.LittleEndian.PutUint64(offset[:], uint64(at-moved))
			return append(plain, offset[:size]...), nil
		}
	}
	return nil, errFilez
}
