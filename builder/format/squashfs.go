package format

// Squashfs is the mksquashfs(1) command that makes the image file from the
// directory tree. The command needs SOURCE_DATE_EPOCH, which becomes the time of
// the file system, and the latest that a file can have; mksquashfs refuses
// options that say the same. The memory for its caches is fixed for the sake
// of the machine; it has no effect on the bytes, and neither has the number of
// processors. Level 15 of zstd, the default, is 7 percent smaller on programs and takes seven times as long.
func Squashfs(tree, file string) []string {
	return []string{"mksquashfs", tree, file, "-noappend", "-quiet", "-no-progress", "-comp", "zstd", "-Xcompression-level", "9", "-mem", "256M"}
}
