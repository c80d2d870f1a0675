package imagetool

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"os"
)

// The parts of ext4's layout that are needed to find inodes and to write them:
// https://docs.kernel.org/filesystems/ext4/
const (
	ext4Magic = 0xef53

	ext4MetaBG       = 0x10   // incompatible features
	ext4Bits64       = 0x80   //
	ext4SeedInSuper  = 0x2000 //
	ext4MetadataCsum = 0x400  // a read-only compatible one

	ext4GroupNoInodes = 1        // a group's flag: none of its inodes was ever used
	ext4InodeHoldsEA  = 0x200000 // an inode's: it is an attribute's value
)

// ext4FS is an unmounted ext4 file system in a file.
type ext4FS struct {
	file  *os.File
	super [1024]byte

	block, inodeSize       int64
	inodes, inodesPerGroup int64
	descSize, descStart    int64
	checksums              bool
	seed                   uint32
}

func openExt4(path string) (*ext4FS, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	fs := &ext4FS{file: f}
	if err := fs.load(); err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return fs, nil
}

func (fs *ext4FS) close() error { return fs.file.Close() }

func (fs *ext4FS) flags() uint32 { return fs.u32(0x160) }

func (fs *ext4FS) u16(at int) uint16 { return binary.LittleEndian.Uint16(fs.super[at:]) }
func (fs *ext4FS) u32(at int) uint32 { return binary.LittleEndian.Uint32(fs.super[at:]) }

func (fs *ext4FS) load() error {
	if _, err := fs.file.ReadAt(fs.super[:], 1024); err != nil {
		return fmt.Errorf("read the superblock: %w", err)
	}
	if fs.u16(0x38) != ext4Magic {
		return fmt.Errorf("this is not an ext4 file system")
	}
	incompatible := fs.u32(0x60)
	if incompatible&ext4MetaBG != 0 {
		return fmt.Errorf("the feature meta_bg is not known here")
	}
	if log := fs.u32(0x18); log > 6 {
		return fmt.Errorf("blocks of 2^%d bytes", 10+log)
	}
	fs.block = 1024 << fs.u32(0x18)
	fs.inodes, fs.inodesPerGroup = int64(fs.u32(0)), int64(fs.u32(0x28))
	fs.inodeSize = int64(fs.u16(0x58))
	fs.descSize = 32
	if incompatible&ext4Bits64 != 0 {
		fs.descSize = int64(fs.u16(0xfe))
	}
	fs.descStart = (int64(fs.u32(0x14)) + 1) * fs.block
	if fs.inodesPerGroup == 0 || fs.inodesPerGroup > 8*fs.block || fs.inodeSize < 128 || fs.inodeSize > fs.block || fs.descSize < 32 || fs.descSize > fs.block {
		return fmt.Errorf("the superblock is damaged")
	}
	fs.checksums = fs.u32(0x64)&ext4MetadataCsum != 0
	if incompatible&ext4SeedInSuper != 0 {
		fs.seed = fs.u32(0x270)
	} else {
		fs.seed = crc32c(math.MaxUint32, fs.super[0x68:0x78])
	}
	return nil
}

// setExt4Times gives all times of all used inodes in an ext4 file system the
// same value, in seconds since 1970, and none below a second. It writes the
// inode tables itself, as debugfs(8) takes minutes for what takes a fraction
// of a second so.
func setExt4Times(path string, timestamp int64) error {
	fs, err := openExt4(path)
	if err != nil {
		return err
	}
	err = fs.eachUsed(func(number uint32, inode []byte) { fs.setTimes(number, inode, timestamp) })
	if cerr := fs.close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("set times in %s: %w", path, err)
	}
	return nil
}

// eachUsed calls change for each inode that is in use and writes back the
// blocks with what it changed.
func (fs *ext4FS) eachUsed(change func(number uint32, inode []byte)) error {
	desc, bitmap, block := make([]byte, fs.descSize), make([]byte, fs.block), make([]byte, fs.block)
	perBlock := fs.block / fs.inodeSize
	for group := int64(0); group*fs.inodesPerGroup < fs.inodes; group++ {
		if _, err := fs.file.ReadAt(desc, fs.descStart+group*fs.descSize); err != nil {
			return fmt.Errorf("read the descriptor of group %d: %w", group, err)
		}
		if binary.LittleEndian.Uint16(desc[0x12:])&ext4GroupNoInodes != 0 {
			continue
		}
		if _, err := fs.file.ReadAt(bitmap, fs.location(desc, 0x4, 0x24)); err != nil {
			return fmt.Errorf("read the inode bitmap of group %d: %w", group, err)
		}
		used := func(i int64) bool { return i < fs.inodesPerGroup && bitmap[i/8]>>(i%8)&1 != 0 }
		table := fs.location(desc, 0x8, 0x28)
		for first := int64(0); first < fs.inodesPerGroup; first += perBlock {
			touched := false
			for i := first; i < first+perBlock; i++ {
				if !used(i) {
					continue
				}
				if !touched {
					if _, err := fs.file.ReadAt(block, table+first*fs.inodeSize); err != nil {
						return fmt.Errorf("read inodes of group %d: %w", group, err)
					}
					touched = true
				}
				change(uint32(group*fs.inodesPerGroup+i+1), block[(i-first)*fs.inodeSize:][:fs.inodeSize])
			}
			if !touched {
				continue
			}
			if _, err := fs.file.WriteAt(block, table+first*fs.inodeSize); err != nil {
				return fmt.Errorf("write inodes of group %d: %w", group, err)
			}
		}
	}
	return nil
}

// location reads a block number in two halves from a group's descriptor.
func (fs *ext4FS) location(desc []byte, low, high int) int64 {
	n := int64(binary.LittleEndian.Uint32(desc[low:]))
	if len(desc) >= 64 {
		n |= int64(binary.LittleEndian.Uint32(desc[high:])) << 32
	}
	return n * fs.block
}

// setTimes sets the times of access, change, modification and creation.
func (fs *ext4FS) setTimes(number uint32, inode []byte, timestamp int64) {
	le := binary.LittleEndian
	if le.Uint32(inode[0x20:])&ext4InodeHoldsEA != 0 {
		return // its times are a hash and a count of references
	}
	for _, at := range []int{0x8, 0xc, 0x10} {
		le.PutUint32(inode[at:], uint32(timestamp))
	}
	end := 128
	if len(inode) >= 132 {
		end += int(le.Uint16(inode[0x80:]))
	}
	end = min(end, len(inode))
	// Two more bits of the seconds; above them would be the nanoseconds.
	epoch := uint32((timestamp-int64(int32(timestamp)))>>32) & 3
	for _, at := range []int{0x84, 0x88, 0x8c, 0x94} {
		if end >= at+4 {
			le.PutUint32(inode[at:], epoch)
		}
	}
	if end >= 0x94 {
		le.PutUint32(inode[0x90:], uint32(timestamp))
	}
	if fs.checksums {
		fs.setChecksum(number, inode, end >= 0x84)
	}
}

// setChecksum writes an inode's checksum: over the file system's seed, the
// inode's number and generation, and the inode with the checksum as zero.
func (fs *ext4FS) setChecksum(number uint32, inode []byte, high bool) {
	le := binary.LittleEndian
	le.PutUint16(inode[0x7c:], 0)
	if high {
		le.PutUint16(inode[0x82:], 0)
	}
	sum := crc32c(fs.seed, le.AppendUint32(nil, number))
	sum = crc32c(sum, inode[0x64:0x68])
	sum = crc32c(sum, inode)
	le.PutUint16(inode[0x7c:], uint16(sum))
	if high {
		le.PutUint16(inode[0x82:], uint16(sum>>16))
	}
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// crc32c continues a checksum as ext4 does: without the inversions before and
// after that are usual.
func crc32c(sum uint32, data []byte) uint32 { return ^crc32.Update(^sum, castagnoli, data) }
