package layer

import (
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
)

// Touch is what a layer does to a file.
type Touch struct {
	// What is as in [ChangeOf]; "" if the layer does not touch the file.
	What string
	// By is the directory that the layer removes, or has in place of another one, if that
	// is how it removes the file; relative to the layer.
	By string
	// Info is what the layer has there; nil if it removes the file, or does not touch it.
	Info fs.FileInfo
}

// TouchOf returns what a layer, given as its directory, does to the file of a path that is
// relative to it. Links in the layer are not followed: they would lead to files of this
// machine.
func TouchOf(dir, file string) Touch {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Touch{}
	}
	defer root.Close()
	names := strings.Split(path.Clean(strings.Trim(file, "/")), "/")
	hidden := ""
	for i := range names {
		at := path.Join(names[:i+1]...)
		info, err := root.Lstat(at)
		if err != nil {
			return gone(hidden)
		}
		if i == len(names)-1 {
			if what := kindOf(info); what != "removes" {
				return Touch{What: what, Info: info}
			}
			return Touch{What: "removes"}
		}
		if !info.IsDir() {
			return gone(at) // removed, or a link or a file in place of the directory
		}
		if hides, err := opaque(dir + "/" + at); err == nil && hides {
			hidden = at
		}
	}
	return Touch{}
}

// gone is the removal of a file by what a layer does to a directory, "" if it does nothing.
func gone(by string) Touch {
	if by == "" {
		return Touch{}
	}
	return Touch{What: "removes", By: by}
}

// kindOf is what a layer does by having a file; see [ChangeOf].
func kindOf(info fs.FileInfo) string {
	st, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case ok && info.Mode()&fs.ModeCharDevice != 0 && st.Rdev == 0:
		return "removes"
	case info.IsDir():
		return "directory"
	case info.Mode()&fs.ModeSymlink != 0:
		return "link"
	case info.Mode()&fs.ModeDevice != 0:
		return "device"
	}
	return "file"
}
