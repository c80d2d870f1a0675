package accounts

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/account"
	"github.com/treewright/treewright/builder/treefs"
)

// Renumber gives users and groups of a tree other numbers, old to new, in its
// account files and on all that is theirs: owners, and what POSIX ACLs say.
// Modes and capabilities stay, which the kernel takes away with a new owner.
func Renumber(tree string, users, groups map[uint32]uint32) error {
	files, err := owned(tree, users, groups)
	if err != nil {
		return err
	}
	// A file with several names is changed once, and linked again, as overlayfs
	// makes a file of its own of each name that is changed.
	first := map[treefs.FileID]string{}
	for _, f := range files {
		if f.st.Nlink > 1 && f.st.Mode&unix.S_IFMT != unix.S_IFDIR {
			id := treefs.IDOf(f.st)
			if name, ok := first[id]; ok {
				if err := errors.Join(os.Remove(f.path), os.Link(name, f.path)); err != nil {
					return err
				}
				continue
			}
			first[id] = f.path
		}
		if err := f.renumber(users, groups); err != nil {
			return err
		}
	}
	for name, passwd := range map[string]bool{"passwd": true, "group": false} {
		path := filepath.Join(tree, "etc", name)
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		// In place: the file keeps its owner and mode.
		if err := os.WriteFile(path, []byte(account.Rewrite(string(text), passwd, users, groups)), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// ownedFile is a file that has to do with one of the numbers.
type ownedFile struct {
	path string
	st   unix.Stat_t
	acls map[string][]byte
}

// ACLNames are the extended attributes that hold POSIX ACLs.
var ACLNames = []string{"system.posix_acl_access", "system.posix_acl_default"}

// owned finds all files that have to change, as they are before any does: with
// two numbers exchanged nothing tells afterwards what was done.
func owned(tree string, users, groups map[uint32]uint32) ([]ownedFile, error) {
	var files []ownedFile
	err := filepath.WalkDir(tree, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		f := ownedFile{path: path, acls: map[string][]byte{}}
		if err := unix.Lstat(path, &f.st); err != nil {
			return &fs.PathError{Op: "lstat", Path: path, Err: err}
		}
		if d.Type() != fs.ModeSymlink {
			for _, name := range ACLNames {
				old, err := treefs.Attribute(path, name)
				if err != nil {
					return err
				}
				if acl := renumberACL(old, users, groups); acl != nil {
					f.acls[name] = acl
				}
			}
		}
		_, user := users[f.st.Uid]
		_, group := groups[f.st.Gid]
		if user || group || len(f.acls) > 0 {
			files = append(files, f)
		}
		return nil
	})
	return files, err
}

func (f ownedFile) renumber(users, groups map[uint32]uint32) error {
	uid, user := users[f.st.Uid]
	gid, group := groups[f.st.Gid]
	if !user {
		uid = f.st.Uid
	}
	if !group {
		gid = f.st.Gid
	}
	if user || group {
		attrs, err := treefs.Attributes(f.path, treefs.OfOverlay)
		if err != nil {
			return err
		}
		if err := os.Lchown(f.path, int(uid), int(gid)); err != nil {
			return err
		}
		if f.st.Mode&unix.S_IFMT != unix.S_IFLNK {
			if err := unix.Chmod(f.path, f.st.Mode&0o7777); err != nil {
				return &fs.PathError{Op: "chmod", Path: f.path, Err: err}
			}
		}
		const capability = "security.capability"
		if value, ok := attrs[capability]; ok {
			if err := unix.Lsetxattr(f.path, capability, []byte(value), 0); err != nil {
				return &fs.PathError{Op: "setxattr " + capability, Path: f.path, Err: err}
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(f.acls)) {
		if err := unix.Lsetxattr(f.path, name, f.acls[name], 0); err != nil {
			return &fs.PathError{Op: "setxattr " + name, Path: f.path, Err: err}
		}
	}
	return nil
}

// renumberACL returns an ACL, as the kernel has it in an extended attribute (a
// version, then tag, permissions and number of each entry; linux/posix_acl_xattr.h),
// with other numbers, nil if none changes.
func renumberACL(acl []byte, users, groups map[uint32]uint32) []byte {
	const head, entry, namedUser, namedGroup = 4, 8, 0x02, 0x08
	out, changed := slices.Clone(acl), false
	for at := head; at+entry <= len(acl); at += entry {
		ids := map[uint16]map[uint32]uint32{namedUser: users, namedGroup: groups}[binary.LittleEndian.Uint16(acl[at:])]
		if to, ok := ids[binary.LittleEndian.Uint32(acl[at+4:])]; ok {
			binary.LittleEndian.PutUint32(out[at+4:], to)
			changed = true
		}
	}
	if !changed {
		return nil
	}
	return out
}
