package layer

import "golang.org/x/sys/unix"

// ChangeOf says what a layer does to the file at a path within the layer's
// folder: "removes", "folder", "link", "file", or "" if it does not touch it.
// A removal is a character device 0:0 (see overlayfs in the kernel's
// documentation).
func ChangeOf(path string) string {
	var st unix.Stat_t
	if unix.Lstat(path, &st) != nil {
		return ""
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFCHR:
		if st.Rdev == 0 {
			return "removes"
		}
		return "device"
	case unix.S_IFDIR:
		return "folder"
	case unix.S_IFLNK:
		return "link"
	}
	return "file"
}
