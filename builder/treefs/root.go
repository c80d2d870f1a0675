package treefs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// Root is a tree as programs see it whose root it is: links in it, absolute
// ones too, lead to what they name in the tree, and none leads out of it. Paths
// are relative to the tree. It is an [fs.FS], for what only looks.
type Root struct{ fd int }

// OpenRoot opens the tree in a directory.
func OpenRoot(tree string) (*Root, error) {
	fd, err := unix.Open(tree, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: tree, Err: err}
	}
	return &Root{fd}, nil
}

// Close closes the tree.
func (r *Root) Close() error { return unix.Close(r.fd) }

// OpenAt opens a path by the kernel's own rules for roots.
func (r *Root) OpenAt(op, rel string, flags uint64) (*os.File, error) {
	how := &unix.OpenHow{Flags: flags | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS}
	for {
		fd, err := unix.Openat2(r.fd, rel, how)
		switch {
		case err == nil:
			return os.NewFile(uintptr(fd), rel), nil
		case errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR):
			// Something was renamed meanwhile.
		default:
			return nil, &fs.PathError{Op: op, Path: "/" + rel, Err: err}
		}
	}
}

// parent opens the directory that a path is in. All that is done in it by the
// path's last name is done there and nowhere else.
func (r *Root) parent(rel string) (*os.Root, string, error) {
	rel = path.Clean(rel)
	dir, err := r.OpenAt("open", path.Dir(rel), unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		return nil, "", r.explain(rel, err)
	}
	defer dir.Close()
	root, err := os.OpenRoot(fmt.Sprintf("/proc/self/fd/%d", dir.Fd()))
	return root, path.Base(rel), err
}

// explain names the link that is to blame for an error on the way to a path.
func (r *Root) explain(rel string, err error) error {
	names := strings.Split(rel, "/")
	for i := range names {
		at := strings.Join(names[:i+1], "/")
		target, notLink := r.ReadLink(at)
		_, lost := r.Stat(at)
		switch {
		case notLink != nil || lost == nil:
		case errors.Is(lost, unix.ELOOP):
			return fmt.Errorf("the tree's link /%s -> %s leads in a circle", at, target)
		default:
			return fmt.Errorf("the tree's link /%s -> %s leads to nothing", at, target)
		}
	}
	return err
}

// InParent does something with a path's last name in the directory it is in.
func (r *Root) InParent(rel string, do func(dir *os.Root, base string) error) error {
	dir, base, err := r.parent(rel)
	if err != nil {
		return err
	}
	defer dir.Close()
	return do(dir, base)
}

// Open implements [fs.FS]. A pipe is not waited for.
func (r *Root) Open(name string) (fs.File, error) {
	return r.OpenAt("open", name, unix.O_RDONLY|unix.O_NONBLOCK)
}

// Stat implements [fs.StatFS].
func (r *Root) Stat(name string) (fs.FileInfo, error) {
	f, err := r.OpenAt("stat", name, unix.O_PATH)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Stat()
}

// Lstat implements [fs.ReadLinkFS].
func (r *Root) Lstat(name string) (fs.FileInfo, error) {
	f, err := r.OpenAt("lstat", name, unix.O_PATH|unix.O_NOFOLLOW)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Stat()
}

// ReadLink implements [fs.ReadLinkFS].
func (r *Root) ReadLink(name string) (string, error) {
	f, err := r.OpenAt("readlink", name, unix.O_PATH|unix.O_NOFOLLOW)
	if err != nil {
		return "", err
	}
	defer f.Close()
	target := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(int(f.Fd()), "", target)
	if err != nil {
		return "", &fs.PathError{Op: "readlink", Path: "/" + name, Err: err}
	}
	return string(target[:n]), nil
}

// link gives a file one more name.
func (r *Root) link(from, to string) error {
	old, oldBase, err := r.parent(from)
	if err != nil {
		return err
	}
	defer old.Close()
	return r.InParent(to, func(dir *os.Root, base string) error {
		was, err := old.Open(".")
		if err != nil {
			return err
		}
		defer was.Close()
		is, err := dir.Open(".")
		if err != nil {
			return err
		}
		defer is.Close()
		if err := unix.Linkat(int(was.Fd()), oldBase, int(is.Fd()), base, 0); err != nil {
			return &os.LinkError{Op: "link", Old: "/" + from, New: "/" + to, Err: err}
		}
		return nil
	})
}

var (
	_ fs.StatFS     = (*Root)(nil)
	_ fs.ReadLinkFS = (*Root)(nil)
)
