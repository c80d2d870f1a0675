package vm

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

const (
	sector = 512
	// bootCode is how much of the first sector is code; the rest is the old
	// partition table.
	bootCode = 440
	// maxEntries is more partitions than any table has.
	maxEntries = 1024
)

// espType is the type GUID of an EFI system partition as a GPT holds it
// (UEFI 2.10, 5.3.3): the first three groups are little-endian.
var espType = []byte{0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b}

// NeedsBIOS reports whether an image can only be booted by the code in its first
// sector: there is some, and no EFI system partition.
func NeedsBIOS(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	bios, err := needsBIOS(f)
	if err != nil {
		return false, fmt.Errorf("read the partition table of %s: %w", path, err)
	}
	return bios, nil
}

func needsBIOS(image io.ReaderAt) (bool, error) {
	head := make([]byte, 2*sector)
	if _, err := image.ReadAt(head, 0); errors.Is(err, io.EOF) {
		return false, nil // nothing boots that; the firmware will say so
	} else if err != nil {
		return false, err
	}
	mbr, gpt := head[:sector], head[sector:]
	if len(bytes.Trim(mbr[:bootCode], "\x00")) == 0 {
		return false, nil
	}
	if !bytes.HasPrefix(gpt, []byte("EFI PART")) {
		// The four entries of the old table; 0xef is an EFI system partition.
		for entry := range 4 {
			if mbr[446+16*entry+4] == 0xef {
				return false, nil
			}
		}
		return true, nil
	}
	first := binary.LittleEndian.Uint64(gpt[72:])
	count, size := binary.LittleEndian.Uint32(gpt[80:]), binary.LittleEndian.Uint32(gpt[84:])
	if count > maxEntries || size < 128 || size > 4096 || first > 1<<40 {
		return false, errors.New("it makes no sense")
	}
	table := make([]byte, int(count)*int(size))
	if _, err := image.ReadAt(table, int64(first)*sector); err != nil {
		return false, err
	}
	for entry := range int(count) {
		if bytes.HasPrefix(table[entry*int(size):], espType) {
			return false, nil
		}
	}
	return true, nil
}
