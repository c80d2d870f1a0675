package stage

import (
	"io/fs"
	"syscall"
)

// linkedInode returns a file's inode number, and whether it has several names.
func linkedInode(info fs.FileInfo) (uint64, bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return st.Ino, st.Nlink > 1
}
