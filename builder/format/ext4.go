package format

import "strconv"

const (
	ext4Block = 4096
	// ext4InodeRatio is how many bytes of the file system there are to an
	// inode: what mke2fs.conf(5) has for file systems of this size. An inode
	// takes 256 bytes.
	ext4InodeRatio = 16384
	ext4Inode      = 256
	// ext4JournalMiB is fixed: mke2fs would choose by the size of the image, but
	// the file system grows with its disk.
	ext4JournalMiB = 64
)

// Ext4 is an ext4 file system to be made from a directory.
type Ext4 struct {
	Label, UUID, HashSeed string
	// Offset is where in the file it begins, Size how large it is, both in
	// bytes and multiples of 4096.
	Offset, Size int64
}

// Argv is the mke2fs(8) command that makes the file system with what is in
// the directory from, inside the existing file of which it takes the bytes from
// Offset on to be zero. The command needs SOURCE_DATE_EPOCH: times later than
// that become that. That, the directory order and a seed of its own make
// e2fsprogs 1.47.1 or newer give the same bytes each time.
//
// verity is for composefs. GRUB does not read file systems with orphan_file,
// and one whose checksum seed is not its UUID.
func (e Ext4) Argv(from, file string) []string {
	return []string{
		"mke2fs", "-q", "-F", "-t", "ext4", "-L", e.Label, "-U", e.UUID,
		"-b", strconv.Itoa(ext4Block), "-i", strconv.Itoa(ext4InodeRatio), "-I", strconv.Itoa(ext4Inode),
		"-O", "verity,^orphan_file,^metadata_csum_seed", "-m", "0", "-J", "size=" + strconv.Itoa(ext4JournalMiB),
		"-E", "offset=" + strconv.FormatInt(e.Offset, 10) + ",hash_seed=" + e.HashSeed +
			",root_owner=0:0,nodiscard,assume_storage_prezeroed=1",
		"-d", from, file, strconv.FormatInt(e.Size/ext4Block, 10),
	}
}

// Ext4Usage is the space that files will take in an ext4 file system. It is
// counted from sizes and names alone, as the space they take where they are
// now depends on that file system.
type Ext4Usage struct {
	Bytes, Inodes int64
}

// AddFile counts a file of that size.
func (u *Ext4Usage) AddFile(size int64) {
	u.Inodes++
	u.Bytes += roundUp(size, ext4Block)
}

// AddLink counts a symbolic link with a target of that length; a short one
// is in the inode.
func (u *Ext4Usage) AddLink(length int64) {
	if length < 60 {
		length = 0
	}
	u.AddFile(length)
}

// AddDirectory counts a directory with entries of these names.
func (u *Ext4Usage) AddDirectory(names []string) {
	// Two entries of 12 bytes for . and .., and the checksum's.
	size := int64(36)
	for _, n := range names {
		size += roundUp(int64(8+len(n)), 4)
	}
	u.AddFile(size)
}

// Size returns how large a file system must be to hold the files and leave
// free bytes: a multiple of 1 MiB. What ext4 needs for itself is the journal,
// the inodes, and a thousandth for bitmaps, descriptors and extents.
func (u Ext4Usage) Size(free int64) int64 {
	const spare = 8 << 20 // space for descriptors to grow into
	need := u.Bytes + free + ext4JournalMiB<<20 + spare
	need += need / 1000
	// Each ext4InodeRatio bytes come with an inode.
	need = need * ext4InodeRatio / (ext4InodeRatio - ext4Inode)
	return roundUp(max(need, u.Inodes*ext4InodeRatio+alignment), alignment)
}
