package format

import "strconv"

// EROFS is the mkfs.erofs(1) command that makes the image file from the folder
// tree. Files keep their times, the file system gets epoch, in seconds since
// 1970, as its own. Kernels before 6.10 cannot read zstd in it.
func EROFS(tree, file, uuid string, epoch int64) []string {
	return []string{
		"mkfs.erofs", "--quiet", "-zzstd,level=15", "-C65536", "-Efragments",
		"-T" + strconv.FormatInt(epoch, 10), "--mkfs-time", "--preserve-mtime", "-U" + uuid, file, tree,
	}
}
