package format

import "strconv"

// EROFS is the mkfs.erofs(1) command that makes the image file from the directory
// tree. Files keep their times, the file system gets epoch, in seconds since
// 1970, as its own. Kernels before 6.10 cannot read zstd in it. Higher levels
// and packed fragments take minutes to save a tenth.
func EROFS(tree, file, uuid string, epoch int64) []string {
	return []string{
		"mkfs.erofs", "--quiet", "-zzstd,level=9", "-C65536",
		"-T" + strconv.FormatInt(epoch, 10), "--mkfs-time", "--preserve-mtime", "-U" + uuid, file, tree,
	}
}
