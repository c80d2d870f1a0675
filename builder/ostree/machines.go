package ostree

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/format"
	"github.com/treewright/treewright/builder/objects"
	"github.com/treewright/treewright/builder/treefs"
)

// OpenToRead opens a repository only to read and check its commits, trees and files. The repository is in archive mode, or
// belongs to a machine (mode bare), in which each object of a file is that file, with its owner, mode and extended attributes.
func OpenToRead(dir string) (Repository, error) {
	config, err := os.ReadFile(filepath.Join(dir, "config"))
	if err == nil && configMode(string(config)) == "bare" {
		return Repository{dir: dir, bare: true}, nil
	}
	return Open(dir)
}

// bareHeader describes the object of a file.
func (r Repository) bareHeader(sum string) (*format.OSTreeFile, error) {
	path := filepath.Join(r.dir, object(sum, "file"))
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", r.dir, &os.PathError{Op: "lstat", Path: path, Err: err})
	}
	f := &format.OSTreeFile{Meta: objects.Meta{UID: st.Uid, GID: st.Gid, Mode: st.Mode}}
	var err error
	if f.Link() {
		if f.Target, err = os.Readlink(path); err != nil {
			return nil, err
		}
	} else {
		f.Size = uint64(st.Size)
	}
	f.Xattrs, err = treefs.Attributes(path, func(string) bool { return false })
	return f, err
}

// bareContent reads the object of a regular file, and checks it.
func (r Repository) bareContent(sum string, limit int64) ([]byte, error) {
	header, err := r.bareHeader(sum)
	if err != nil {
		return nil, err
	}
	if header.Size > uint64(limit) {
		return nil, fmt.Errorf("the file has more than %d bytes", limit)
	}
	var content []byte
	err = r.readBare(sum, header, func(in io.Reader) error {
		var err error
		content, err = io.ReadAll(in)
		return err
	})
	return content, err
}

// readBare calls a function that reads the content of an object, and compares its checksum. A link does not have content.
func (r Repository) readBare(sum string, header *format.OSTreeFile, read func(io.Reader) error) error {
	path := filepath.Join(r.dir, object(sum, "file"))
	h := objects.FileSum(header.Meta, header.Target)
	if !header.Link() {
		in, err := os.Open(path)
		if err != nil {
			return fmt.Errorf("%s is damaged: %w", r.dir, err)
		}
		defer in.Close()
		if err := read(io.TeeReader(in, h)); err != nil {
			return err
		}
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != sum {
		return fmt.Errorf("%s is damaged: %s has the checksum %s", r.dir, path, got)
	}
	return nil
}

// copyBare writes a copy of an object.
func (r Repository) copyBare(p placed) error {
	header, err := r.bareHeader(p.sum)
	if err != nil {
		return err
	}
	if header.Link() {
		if err := os.Symlink(header.Target, p.path); err != nil {
			return err
		}
	}
	if err := r.readBare(p.sum, header, func(in io.Reader) error {
		out, err := os.OpenFile(p.path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		_, err = io.Copy(out, in)
		return errors.Join(err, out.Close())
	}); err != nil {
		return err
	}
	return setMeta(p.path, &header.Meta)
}
