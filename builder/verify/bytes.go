package verify

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf16"
)

// Bytes describes how the contents of two files differ.
type Bytes struct {
	// Offset is that of the first byte that differs, Count how many do, as far as both
	// files go; Sizes are the sizes of both.
	Offset int64    `json:"offset"`
	Count  int64    `json:"count"`
	Sizes  [2]int64 `json:"sizes"`
	// Was and Is are the bytes from there on, in hexadecimal.
	Was string `json:"was"`
	Is  string `json:"is"`
	// Partitions are the names of the partitions of a disk image that differ.
	Partitions []string `json:"partitions,omitempty"`
}

func (b *Bytes) String() string {
	text := fmt.Sprintf("differs in %d bytes from offset %d on: %s, then %s", b.Count, b.Offset, b.Was, b.Is)
	if b.Count == 0 {
		text = "ends sooner or later"
	}
	if b.Sizes[0] != b.Sizes[1] {
		text += fmt.Sprintf("; it has %d bytes, then %d", b.Sizes[0], b.Sizes[1])
	}
	if len(b.Partitions) > 0 {
		text += "; in the partitions " + strings.Join(b.Partitions, ", ")
	}
	return text
}

// shownBytes is how many bytes are shown of a place.
const shownBytes = 16

// compareContent compares two regular files; nil if they have the same bytes.
func compareContent(first, second string) (*Bytes, error) {
	a, err := os.Open(first)
	if err != nil {
		return nil, err
	}
	defer a.Close()
	b, err := os.Open(second)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	found := &Bytes{Offset: -1}
	for i, f := range []*os.File{a, b} {
		info, err := f.Stat()
		if err != nil {
			return nil, err
		}
		found.Sizes[i] = info.Size()
	}
	parts := readGPT(a)
	touched := map[string]bool{}
	one, two := make([]byte, 1<<20), make([]byte, 1<<20)
	for at := int64(0); ; {
		n, err1 := io.ReadFull(a, one)
		m, err2 := io.ReadFull(b, two)
		if both := min(n, m); !bytes.Equal(one[:both], two[:both]) {
			for i := range both {
				if one[i] == two[i] {
					continue
				}
				if found.Count++; found.Offset < 0 {
					found.Offset = at + int64(i)
				}
				touched[parts.at(at+int64(i))] = true
			}
		}
		at += int64(min(n, m))
		if err1 != nil || err2 != nil {
			if e := errors.Join(unexpected(err1), unexpected(err2)); e != nil {
				return nil, e
			}
			break
		}
	}
	if found.Count == 0 && found.Sizes[0] == found.Sizes[1] {
		return nil, nil
	}
	found.Offset = max(found.Offset, 0)
	found.Was, found.Is = hexAt(a, found.Offset), hexAt(b, found.Offset)
	for _, p := range parts {
		if touched[p.name] {
			found.Partitions = append(found.Partitions, p.name)
		}
	}
	return found, nil
}

// unexpected leaves out the errors of a file that ends.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

func hexAt(f *os.File, at int64) string {
	b := make([]byte, shownBytes)
	n, _ := f.ReadAt(b, at)
	return fmt.Sprintf("%x", b[:n])
}

type partition struct {
	name        string
	first, last int64 // offsets in bytes
}

type partitions []partition

// at is the name of the partition with an offset.
func (p partitions) at(offset int64) string {
	for _, part := range p {
		if offset >= part.first && offset <= part.last {
			return part.name
		}
	}
	return ""
}

// readGPT reads the partition table of a disk image; none if it has none.
func readGPT(f *os.File) (found partitions) {
	const sector = 512
	header := make([]byte, 92)
	if _, err := f.ReadAt(header, sector); err != nil || !bytes.HasPrefix(header, []byte("EFI PART")) {
		return nil
	}
	table, count := int64(binary.LittleEndian.Uint64(header[72:])), binary.LittleEndian.Uint32(header[80:])
	const size = 128
	if binary.LittleEndian.Uint32(header[84:]) != size || count > 128 {
		return nil
	}
	for i := range int64(count) {
		e := make([]byte, size)
		if _, err := f.ReadAt(e, table*sector+i*size); err != nil {
			return found
		}
		first, last := int64(binary.LittleEndian.Uint64(e[32:])), int64(binary.LittleEndian.Uint64(e[40:]))
		if first == 0 {
			continue
		}
		var name []uint16
		for at := 56; at < size; at += 2 {
			if c := binary.LittleEndian.Uint16(e[at:]); c != 0 {
				name = append(name, c)
			}
		}
		text := string(utf16.Decode(name))
		if text == "" {
			text = fmt.Sprintf("number %d", i+1)
		}
		found = append(found, partition{text, first * sector, (last+1)*sector - 1})
	}
	return found
}
