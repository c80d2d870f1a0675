package vm

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// disk writes the first sectors of an image, with a partition table of one
// entry.
func disk(code bool, gpt bool, kind []byte) []byte {
	d := make([]byte, 64*sector)
	if code {
		copy(d, "\xfa\xeb\xfe")
	}
	d[510], d[511] = 0x55, 0xaa
	if !gpt {
		copy(d[446+4:], kind)
		return d
	}
	d[446+4] = 0xee
	copy(d[sector:], "EFI PART")
	binary.LittleEndian.PutUint64(d[sector+72:], 2)
	binary.LittleEndian.PutUint32(d[sector+80:], 128)
	binary.LittleEndian.PutUint32(d[sector+84:], 128)
	// The second of all entries: the first is empty.
	copy(d[2*sector+128:], kind)
	return d
}

func TestNeedsBIOS(t *testing.T) {
	linux := bytes.Repeat([]byte{0xaf}, 16)
	tests := []struct {
		name string
		disk []byte
		want bool
	}{
		{"gpt, esp", disk(false, true, espType), false},
		{"gpt, esp and boot sector", disk(true, true, espType), false},
		{"gpt, boot sector", disk(true, true, linux), true},
		{"gpt, nothing", disk(false, true, linux), false},
		{"mbr, esp", disk(true, false, []byte{0xef}), false},
		{"mbr, boot sector", disk(true, false, []byte{0x83}), true},
		{"empty", make([]byte, 64*sector), false},
		{"short", []byte("\xfa"), false},
	}
	for _, tt := range tests {
		got, err := needsBIOS(bytes.NewReader(tt.disk))
		if err != nil || got != tt.want {
			t.Errorf("%s: %v, %v", tt.name, got, err)
		}
	}
}

func TestNeedsBIOSOfABadTable(t *testing.T) {
	bad := disk(true, true, espType)
	binary.LittleEndian.PutUint32(bad[sector+80:], 1<<31)
	file := filepath.Join(t.TempDir(), "raw")
	if err := os.WriteFile(file, bad, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := NeedsBIOS(file); err == nil || !strings.Contains(err.Error(), "partition table of "+file) {
		t.Errorf("got %v", err)
	}
	if _, err := needsBIOS(bytes.NewReader(disk(true, true, espType)[:3*sector])); err == nil {
		t.Error("a table that is cut off is read")
	}
}
