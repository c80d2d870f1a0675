package imagetool

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// FuzzParseDump: partitions are on the disk, each is of a line, and they are the same
// when they are written out.
func FuzzParseDump(f *testing.F) {
	f.Add("label: gpt\nsector-size: 4096\n\n/x1 : start=        2048, size=      133120, type=C12A, uuid=1\n/x2 : start= 135168, size=53248,\n")
	f.Add("sector-size: 0\n/x1 : start= 1, size= 1,")
	f.Add("sector-size: 2147483647\n/x1 : start= 140737488355327, size= 140737488355327,")
	f.Fuzz(func(t *testing.T, text string) {
		all, err := parseDump(strings.NewReader(text))
		if err != nil {
			return
		}
		if len(all) > strings.Count(text, "start=") {
			t.Errorf("%q has %d partitions", text, len(all))
		}
		lines := "sector-size: 1\n"
		for _, e := range all {
			if e.start < 0 || e.length < 0 || e.start+e.length < 0 {
				t.Errorf("%q: %+v", text, e)
			}
			lines += fmt.Sprintf("x : start= %d, size= %d, type=0\n", e.start, e.length)
		}
		if again, err := parseDump(strings.NewReader(lines)); err == nil && !slices.Equal(again, all) {
			t.Errorf("%q: %v, and written out %v", text, all, again)
		}
	})
}

// FuzzExt4Inode: an inode's times are those that were asked for, nothing else of it
// is changed but its checksum, and a second time changes nothing.
func FuzzExt4Inode(f *testing.F) {
	inode := make([]byte, 256)
	inode[0x80] = 32
	f.Add(inode, uint32(12), int64(1700000000), true)
	f.Add(make([]byte, 128), uint32(1), int64(-1), true)
	f.Add(make([]byte, 160), uint32(2), int64(1)<<32, false)
	f.Add(bytes.Repeat([]byte{0xff}, 255), uint32(2), int64(1)<<33, true)
	f.Fuzz(func(t *testing.T, inode []byte, number uint32, timestamp int64, checksums bool) {
		if len(inode) < 128 || len(inode) > 4096 {
			return // not an inode: load checks that
		}
		fs := &ext4FS{checksums: checksums, seed: 1}
		before := bytes.Clone(inode)
		fs.setTimes(number, inode, timestamp)
		once := bytes.Clone(inode)
		fs.setTimes(number, inode, timestamp)
		if !bytes.Equal(inode, once) {
			t.Error("a second time, it is another one")
		}
		le := binary.LittleEndian
		if le.Uint32(before[0x20:])&ext4InodeHoldsEA != 0 {
			if !bytes.Equal(inode, before) {
				t.Error("an attribute's value was changed")
			}
			return
		}
		end := 128
		if len(inode) >= 132 {
			end = min(end+int(le.Uint16(inode[0x80:])), len(inode))
		}
		for i := range inode {
			at := i &^ 3
			times := at == 0x8 || at == 0xc || at == 0x10 || at >= 0x84 && at < 0x98 && at+4 <= end
			sum := checksums && (i == 0x7c || i == 0x7d || (i == 0x82 || i == 0x83) && end >= 0x84)
			if inode[i] != before[i] && !times && !sum {
				t.Errorf("byte %#x was %#x and is %#x", i, before[i], inode[i])
			}
		}
		if timestamp < -1<<31 || timestamp >= 1<<34-1<<31 {
			return // ext4 has no such time
		}
		for _, place := range [][2]int{{0x8, 0x8c}, {0xc, 0x84}, {0x10, 0x88}, {0x90, 0x94}} {
			if place[0] == 0x90 && end < 0x94 {
				continue
			}
			seconds := int64(int32(le.Uint32(inode[place[0]:])))
			if end >= place[1]+4 {
				extra := le.Uint32(inode[place[1]:])
				seconds += int64(extra&3) << 32
				if extra>>2 != 0 {
					t.Errorf("%#x has nanoseconds", place[1])
				}
			} else if timestamp >= 1<<31 {
				continue // it has no space for it
			}
			if seconds != timestamp {
				t.Errorf("the time at %#x is %d, want %d", place[0], seconds, timestamp)
			}
		}
	})
}

// FuzzExt4Layout: a file system with any superblock and descriptors is changed or
// refused; it never gets longer.
func FuzzExt4Layout(f *testing.F) {
	le := binary.LittleEndian
	super := make([]byte, 1024)
	for at, v := range map[int]uint32{0x0: 16, 0x14: 1, 0x28: 16, 0x58: 256, 0x64: ext4MetadataCsum} {
		le.PutUint32(super[at:], v)
	}
	rest := make([]byte, 10*1024)
	for at, v := range map[int]uint32{0x4: 3, 0x8: 4} { // bitmap and inodes, in blocks of 1024 bytes
		le.PutUint32(rest[at:], v)
	}
	rest[1024] = 0x0f
	f.Add(super, rest)
	f.Add(super[:0x68], rest[:3000])
	f.Add([]byte{}, []byte{})
	f.Fuzz(func(t *testing.T, super, rest []byte) {
		image := make([]byte, 2048, 2048+len(rest))
		copy(image[1024:], super)
		le.PutUint16(image[1024+0x38:], ext4Magic)
		image = append(image, rest...)
		path := filepath.Join(t.TempDir(), "image")
		if err := os.WriteFile(path, image, 0o644); err != nil {
			t.Fatal(err)
		}
		err := setExt4Times(path, 1700000000)
		after, rerr := os.ReadFile(path)
		if rerr != nil {
			t.Fatal(rerr)
		}
		if len(after) != len(image) {
			t.Errorf("it had %d bytes and has %d", len(image), len(after))
		}
		if err != nil && !strings.Contains(err.Error(), path) {
			t.Errorf("the fault does not name the image: %v", err)
		}
	})
}
