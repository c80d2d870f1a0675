package imagetool

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fatChain are the clusters of the test volume's one file.
var fatChain = []int64{3, 4, 100}

// testVolume is a FAT32 volume of that many sectors, with 512 bytes each and
// one to a cluster, in a file that is longer by spare bytes. Its one file has
// the clusters chain; the cluster 100 after the last of them is a bad one.
func testVolume(t *testing.T, chain []int64, sectors, spare int64) string {
	t.Helper()
	gap := chain[len(chain)-1] + 100
	const reserved, fats = 32, 2
	le := binary.LittleEndian
	fatSize := (sectors*4 + 511) / 512
	boot := make([]byte, 512)
	copy(boot, "\xeb\x58\x90TESTTEST")
	le.PutUint16(boot[11:], 512)
	boot[13] = 1
	le.PutUint16(boot[14:], reserved)
	boot[16] = fats
	boot[21] = 0xf8
	le.PutUint32(boot[32:], uint32(sectors))
	le.PutUint32(boot[36:], uint32(fatSize))
	le.PutUint32(boot[44:], 2)
	le.PutUint16(boot[48:], 1)
	le.PutUint16(boot[50:], 6)
	copy(boot[82:], "FAT32   ")
	le.PutUint16(boot[510:], 0xaa55)

	info := make([]byte, 512)
	copy(info, "RRaA")
	copy(info[0x1e4:], "rrAa")
	le.PutUint32(info[0x1e8:], uint32(sectors-reserved-fats*fatSize)-uint32(len(chain)+2)) // the root and the bad one besides
	le.PutUint32(info[0x1ec:], 5)
	le.PutUint32(info[0x1fc:], 0xaa550000)

	fat := make([]byte, 4*(gap+1))
	for i, e := range []uint32{0x0ffffff8, 0x0fffffff, 0x0fffffff} {
		le.PutUint32(fat[4*i:], e)
	}
	for i, c := range chain {
		next := uint32(0x0fffffff)
		if i+1 < len(chain) {
			next = uint32(chain[i+1])
		}
		le.PutUint32(fat[4*c:], next)
	}
	le.PutUint32(fat[4*gap:], fatBad)

	file := filepath.Join(t.TempDir(), "volume")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(sectors*512 + spare); err != nil {
		t.Fatal(err)
	}
	write := func(data []byte, sector int64) {
		if _, err := f.WriteAt(data, sector*512); err != nil {
			t.Fatal(err)
		}
	}
	write(boot, 0)
	write(boot, 6)
	write(info, 1)
	for i := int64(0); i < fats; i++ {
		write(fat, reserved+i*fatSize)
	}
	for i, c := range chain {
		write(fatPiece(i), reserved+fats*fatSize+c-2)
	}
	return file
}

// fatPiece is the content of the cluster i of the chain.
func fatPiece(i int) []byte { return bytes.Repeat([]byte{byte('a' + i)}, 512) }

// readVolume checks what must hold for any volume, and that its file is there.
func readVolume(t *testing.T, file string, chain []int64) fat32 {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	v, err := parseFAT32(data, int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(data[:fatBPB], data[v.backup*v.sector:][:fatBPB]) {
		t.Error("the backup of the boot sector differs")
	}
	first := data[v.reserved*v.sector:][:v.size*v.sector]
	for i := int64(1); i < v.fats; i++ {
		if !bytes.Equal(first, data[(v.reserved+i*v.size)*v.sector:][:v.size*v.sector]) {
			t.Errorf("FAT %d differs", i)
		}
	}
	free := uint32(0)
	for i := int64(2); i < v.clusters()+2; i++ {
		if entry(first, i) == 0 {
			free++
		}
	}
	if got := binary.LittleEndian.Uint32(data[v.info*v.sector+0x1e8:]); got != free {
		t.Errorf("%d clusters are said to be free, but %d are", got, free)
	}
	at := chain[0]
	for i := range chain {
		if got := data[(v.data()+at-2)*v.sector:][:512]; !bytes.Equal(got, fatPiece(i)) {
			t.Errorf("cluster %d holds %q...", at, got[:8])
		}
		at = int64(entry(first, at))
	}
	if at != 0x0fffffff {
		t.Errorf("the file goes on at %x", at)
	}
	return v
}

func TestResizeFAT32(t *testing.T) {
	const sectors = 70000
	for _, c := range []struct {
		name   string
		spare  int64
		resize ResizeFAT32
		want   int64 // sectors
		bytes  int64
		err    string
		sum    string // begins with this, for gardenlinux/resizefat32 too (which gives up where the size is below the reserved sectors)
	}{
		{"min", 0, ResizeFAT32{Mode: FATMin, Truncate: true}, 133, 133 * 512, "", "aca08a651b0842da"},
		{"min in a file that stays", 0, ResizeFAT32{Mode: FATMin}, 133, sectors * 512, "", "23bb03db52d97c35"},
		{"max", 64 * mib, ResizeFAT32{Mode: FATMax}, 201024, sectors*512 + 64*mib, "", "91d0bc6a1a7f995e"},
		{"smaller", 0, ResizeFAT32{Mode: FATSize, Size: 20 * mib, Truncate: true}, 40950, 20 * mib, "", "cfb43d25d6fe9203"},
		{"larger", 0, ResizeFAT32{Mode: FATSize, Size: 100 * mib, Truncate: true}, 204750, 100 * mib, "", "e766a9ac1fc387a3"},
		{"too small", 0, ResizeFAT32{Mode: FATSize, Size: 40 * 1024, Truncate: true}, 133, 133 * 512, "as small as they allow", "aca08a651b0842da"},
		{"smaller than the reserved sectors", 0, ResizeFAT32{Mode: FATSize, Size: 1024, Truncate: true}, 133, 133 * 512, "as small as they allow", "aca08a651b0842da"},
		{"no space", 0, ResizeFAT32{Mode: FATSize, Size: 100 * mib}, sectors, sectors * 512, "there are only", "ee05db602614f96b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.resize.File = testVolume(t, fatChain, sectors, c.spare)
			done, err := c.resize.Run()
			if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Fatalf("error %v, want %q", err, c.err)
			}
			v := readVolume(t, c.resize.File, fatChain)
			if v.total != c.want || err == nil && (done.Before != sectors || done.After != c.want) {
				t.Errorf("%d sectors, reported as %+v, want %d", v.total, done, c.want)
			}
			data, err := os.ReadFile(c.resize.File)
			if err != nil {
				t.Fatal(err)
			}
			if int64(len(data)) != c.bytes {
				t.Errorf("the file has %d bytes, want %d", len(data), c.bytes)
			}
			if sum := fmt.Sprintf("%x", sha256.Sum256(data)); sum[:16] != c.sum {
				t.Errorf("SHA-256 %s, want %s...", sum, c.sum)
			}
		})
	}
}

// TestResizeFAT32MovesInOrder: data of many pieces is moved by less than its own
// length, towards the end and towards the beginning. In the wrong order a piece
// is written over one that is still to be read.
func TestResizeFAT32MovesInOrder(t *testing.T) {
	const sectors = 70000
	var chain []int64
	for c := int64(3); len(chain) < 24; c += 997 { // so that all pieces have some of it, near their borders too
		chain = append(chain, c)
	}
	length := chain[len(chain)-1] * 512
	if length < 8*movePiece {
		t.Fatalf("the data has %d bytes, not many pieces of %d", length, movePiece)
	}
	for name, r := range map[string]ResizeFAT32{
		"min":     {Mode: FATMin, Truncate: true},
		"smaller": {Mode: FATSize, Size: 20 * mib, Truncate: true},
		"larger":  {Mode: FATSize, Size: 100 * mib, Truncate: true},
	} {
		t.Run(name, func(t *testing.T) {
			r.File = testVolume(t, chain, sectors, 0)
			before := readVolume(t, r.File, chain)
			if _, err := r.Run(); err != nil {
				t.Fatal(err)
			}
			after := readVolume(t, r.File, chain)
			if by := (after.data() - before.data()) * 512; by == 0 || by >= length || by <= -length {
				t.Errorf("the data moved by %d bytes: the order makes no difference", by)
			}
		})
	}
}

func TestResizeFAT32Twice(t *testing.T) {
	file := testVolume(t, fatChain, 70000, 0)
	for _, r := range []ResizeFAT32{{Mode: FATMin}, {Mode: FATMax}, {Mode: FATMin, Truncate: true}, {Mode: FATSize, Size: 50 * mib, Truncate: true}} {
		r.File = file
		if _, err := r.Run(); err != nil {
			t.Fatal(err)
		}
		readVolume(t, file, fatChain)
	}
}

func TestParseFAT32Faults(t *testing.T) {
	good, err := os.ReadFile(testVolume(t, fatChain, 70000, 0))
	if err != nil {
		t.Fatal(err)
	}
	boot := good[:512]
	if _, err := parseFAT32(boot, int64(len(good))); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(b []byte){
		"signature is missing":  func(b []byte) { b[510] = 0 },
		"not a FAT32 volume":    func(b []byte) { b[22] = 9 },
		"sectors of 500 bytes":  func(b []byte) { binary.LittleEndian.PutUint16(b[11:], 500) },
		"clusters of 3 sectors": func(b []byte) { b[13] = 3 },
		"gives no FATs":         func(b []byte) { b[16] = 0 },
		"FAT 4 of 2 is in use":  func(b []byte) { b[40] = 0x83 },
		"reserved sectors":      func(b []byte) { b[48] = 32 },
		"but the file only":     func(b []byte) { b[34] = 9 },
		"leave no space":        func(b []byte) { b[37] = 0xff },
		"too small for":         func(b []byte) { b[36], b[37] = 1, 0 },
		"in cluster 1":          func(b []byte) { b[44] = 1 },
		"in cluster 327682":     func(b []byte) { b[46] = 5 },
	} {
		b := bytes.Clone(boot)
		change(b)
		if _, err := parseFAT32(b, int64(len(good))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if _, err := (ResizeFAT32{File: filepath.Join(t.TempDir(), "none")}).Run(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v for a file that does not exist", err)
	}
}

func FuzzResizeFAT32(f *testing.F) {
	f.Add([]byte{}, int64(0))
	boot := make([]byte, 4096)
	copy(boot[11:], []byte{0, 2, 1, 2, 0, 1, 0, 0, 0, 0, 0xf8, 0, 0})
	boot[32], boot[36], boot[44], boot[510], boot[511] = 8, 1, 2, 0x55, 0xaa
	f.Add(boot, int64(4096))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte, size int64) {
		if len(data) > 1<<16 || size > 1<<20 {
			return
		}
		file := filepath.Join(dir, "volume")
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		r := ResizeFAT32{File: file, Mode: FATSize, Size: size, Truncate: true}
		if _, err := r.Run(); err != nil && !errors.Is(err, ErrFATFull) {
			return
		}
		after, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parseFAT32(after, int64(len(after))); err != nil {
			t.Errorf("it is not a volume any more: %v", err)
		}
	})
}
