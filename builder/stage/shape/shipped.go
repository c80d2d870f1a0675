package shape

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/treewright/treewright/builder/stage/machine"
	"github.com/treewright/treewright/builder/stage/origin"
	"github.com/treewright/treewright/builder/treefs"
)

// mover moves what is at from to to, both relative to the tree, with owners,
// links and extended attributes. to must not be there.
type mover func(from, to string) error

// shippedDirs belong to the machine's owner, and features and packages ship
// things there all the same. What they ship is below /usr, so that it is
// updated with the commit and keeps all that files have; a link to each entry
// is where the owner's own things can be beside it.
var shippedDirs = []struct {
	name, to string
	// merged are directories whose entries are linked one by one; others are
	// linked as a whole. "" is name itself.
	merged []string
}{
	{"opt", "usr/lib/opt", []string{""}},
	{"srv", "usr/lib/srv", []string{""}},
	{"usr/local", "usr/lib/usrlocal", []string{
		"", "bin", "etc", "games", "include", "lib", "libexec", "sbin", "share", "src", "lib/pkgconfig", "lib/python3*", "lib/python3*/dist-packages",
		"share/applications", "share/bash-completion", "share/bash-completion/completions", "share/ca-certificates", "share/dbus-1", "share/dbus-1/*",
		"share/doc", "share/fonts", "share/fonts/*", "share/icons", "share/info", "share/locale", "share/man", "share/man/*", "share/pkgconfig",
		"share/zsh", "share/zsh/site-functions",
	}},
}

// ShippedDir is a directory of the machine's owner in which a commit ships something: Name is where machines find it,
// and To where the commit has it. Both are relative to the tree.
type ShippedDir struct{ Name, To string }

// Shipped are all these directories.
func Shipped() []ShippedDir {
	var all []ShippedDir
	for _, d := range shippedDirs {
		all = append(all, ShippedDir{d.name, d.to})
	}
	return all
}

// shipper moves what a commit ships in its owner's directories.
type shipper struct {
	tree string
	move mover
	from *origin.Origins
	warn func(format string, args ...any)
}

func (s *shipper) ship() error {
	for _, name := range machine.EarlyDirs {
		if err := s.early("usr/local/lib/"+name, "usr/lib/"+name); err != nil {
			return err
		}
	}
	for _, dir := range []string{"etc", "usr/lib/systemd"} {
		if err := s.retarget(dir); err != nil {
			return err
		}
	}
	for _, d := range shippedDirs {
		if err := s.entries(d.name, d.to, "", d.merged); err != nil {
			return fmt.Errorf("ship what is in /%s: %w", d.name, err)
		}
	}
	return nil
}

// early moves the files below from to the same names below to. systemd would
// prefer the former, so two that differ are an error.
func (s *shipper) early(from, to string) error {
	root := filepath.Join(s.tree, from)
	var files []string
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && !d.IsDir() {
			files = append(files, strings.TrimPrefix(p, root+"/"))
		}
		return err
	})
	if err != nil || len(files) == 0 {
		return err
	}
	if err := treefs.AbsoluteLinks(s.tree, from, "/"+from); err != nil {
		return err
	}
	for _, f := range files {
		have := filepath.Join(s.tree, to, f)
		if _, err := os.Lstat(have); err != nil {
			if err := s.move(from+"/"+f, to+"/"+f); err != nil {
				return err
			}
			continue
		}
		if same, err := treefs.SameFile(have, filepath.Join(root, f)); err != nil {
			return err
		} else if !same {
			return fmt.Errorf("/%s/%s cannot stay there, because it is read before /usr/local exists on a machine, and /%s/%s, where it would be moved, is another file", from, f, to, f)
		}
	}
	return os.RemoveAll(root)
}

// retarget makes links below dir that lead to what early moved lead to where
// it is now: "systemctl enable" made them.
func (s *shipper) retarget(dir string) error {
	return treefs.EachLink(filepath.Join(s.tree, dir), func(link, target string) (string, error) {
		for _, name := range machine.EarlyDirs {
			if rest, ok := strings.CutPrefix(target, "/usr/local/lib/"+name+"/"); ok {
				return "/usr/lib/" + name + "/" + rest, nil
			}
		}
		return target, nil
	})
}

// entries goes through a merged directory rel below name.
func (s *shipper) entries(name, to, rel string, merged []string) error {
	list, err := os.ReadDir(filepath.Join(s.tree, name, rel))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range list {
		entry := path.Join(rel, e.Name())
		at := path.Join(name, entry)
		switch {
		case e.IsDir() && Matches(entry, merged):
			err = s.entries(name, to, entry, merged)
		case e.IsDir() && !hasFiles(filepath.Join(s.tree, at)):
			// The owner's to fill.
		case e.Type() == fs.ModeSymlink && s.leadsInto(name, entry, merged):
		default:
			err = s.entry(at, path.Join(to, entry))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// leadsInto reports whether a link leads to a merged directory of the same place,
// as /usr/local/man does.
func (s *shipper) leadsInto(name, entry string, merged []string) bool {
	target, err := os.Readlink(filepath.Join(s.tree, name, entry))
	return err == nil && !path.IsAbs(target) && Matches(path.Join(path.Dir(entry), target), merged)
}

// Matches reports whether a path is one of the patterns, as [path.Match] reads them.
func Matches(entry string, merged []string) bool {
	return slices.ContainsFunc(merged, func(pattern string) bool {
		ok, err := path.Match(pattern, entry)
		return ok && err == nil
	})
}

// entry moves one entry below /usr and leaves a link to it.
func (s *shipper) entry(at, to string) error {
	if _, err := os.Lstat(filepath.Join(s.tree, to)); err == nil {
		return fmt.Errorf("/%s must be moved to /%s, but that exists already", at, to)
	}
	if err := s.lookOver(at); err != nil {
		return err
	}
	if err := treefs.AbsoluteLinks(s.tree, at, "/"+at); err != nil {
		return err
	}
	if err := s.move(at, to); err != nil {
		return err
	}
	return os.Symlink("/"+to, filepath.Join(s.tree, at))
}

// lookOver warns of what was meant to be written to.
func (s *shipper) lookOver(at string) error {
	return filepath.WalkDir(filepath.Join(s.tree, at), func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(s.tree, p)
		if err == nil && info.Sys().(*syscall.Stat_t).Uid != 0 && s.from.ByFeature(rel) {
			s.warn("/%s does not belong to root, but is read-only on a machine, because the commit updates it; files that programs or people change must be at %s in file.include", rel, machine.BehindLinks("/"+rel))
			return fs.SkipAll
		}
		return err
	})
}

// hasFiles reports whether there is anything but directories.
func hasFiles(dir string) bool {
	found := false
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			found = true
			return fs.SkipAll
		}
		return nil
	})
	return found
}
