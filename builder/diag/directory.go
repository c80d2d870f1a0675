package diag

import (
	"errors"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// Directory reports why a directory cannot be used, as far as that is the request's fault or
// this machine's; any other error stays as it is. what is what the directory is for, with
// an article, and choose is how to choose another one.
func Directory(what, dir, choose string, err error) error {
	switch {
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, fs.ErrExist):
		return Requestf("%s cannot be in %s: a directory is needed, and there is a file. Choose another one with %s", what, dir, choose)
	case errors.Is(err, syscall.EROFS):
		return Hostf("%s cannot be in %s: the file system is read-only. Choose another directory with %s", what, dir, choose)
	case errors.Is(err, fs.ErrPermission) && os.Getuid() != 0:
		owner, own := ownerOf(dir), "an ordinary user"
		if me, err := user.Current(); err == nil {
			own = me.Username
		}
		try := "Choose another directory with " + choose
		if owner == "root" {
			try = "Planning and building need root: try sudo"
		}
		return Hostf("%s %s belongs to %s, and this is %s. %s", what, dir, owner, own, try)
	}
	return err
}

// ownerOf is the name of who a directory belongs to, or the nearest one above it that
// exists.
func ownerOf(dir string) string {
	info, err := os.Lstat(dir)
	for err != nil && dir != filepath.Dir(dir) {
		dir = filepath.Dir(dir)
		info, err = os.Lstat(dir)
	}
	if err != nil {
		return "another user"
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "another user"
	}
	id := strconv.Itoa(int(st.Uid))
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return "the user " + id
}
