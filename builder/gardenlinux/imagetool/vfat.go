package imagetool

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// VFAT is a FAT32 file system to be made from a directory.
type VFAT struct {
	Tools
	// Source is the directory, Target the file, which exists and has the size of
	// the file system. Both are absolute.
	Source, Target string
	// Timestamp, in seconds since 1970, becomes the time of all files. FAT's
	// times begin with 1980, so what is earlier becomes that.
	Timestamp int64
	// HashPrefix is what the volume identifier is derived from.
	HashPrefix string
	// VolumeID is the volume identifier, eight digits with or without a dash
	// in the middle, or "".
	VolumeID, Label string
}

// fatEpoch is 1 January 1980.
const fatEpoch = 315532800

var volumeIDPattern = regexp.MustCompile(`^[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}$`)

// Make makes the file system with mformat(1), mmd(1) and mcopy(1) of mtools
// 4.0.43 or newer: older ones take times from the clock. A symbolic link to a
// file of the directory becomes a copy of that, one to a directory does so at the top
// only, as with mcopy; what else FAT cannot hold is an error, and all of it is
// named.
func (v VFAT) Make(ctx context.Context) error {
	if info, err := os.Stat(v.Source); err != nil {
		return err
	} else if !info.IsDir() {
		return fmt.Errorf("%s is not a directory", v.Source)
	}
	id := strings.ReplaceAll(v.VolumeID, "-", "")
	if v.VolumeID == "" {
		id = volumeID(v.HashPrefix + ":uuid")
	} else if !volumeIDPattern.MatchString(v.VolumeID) {
		return fmt.Errorf("%q is not a volume identifier such as 1234-ABCD", v.VolumeID)
	}
	directories, err := v.listing()
	if err != nil {
		return err
	}
	now := max(v.Timestamp, fatEpoch)
	argv := []string{"mformat", "-i", v.Target, "-F", "-N", id}
	if v.Label != "" {
		argv = append(argv, "-v", v.Label)
	}
	if err := v.run(ctx, now, append(argv, "::")...); err != nil {
		return fmt.Errorf("make a FAT file system: %w", err)
	}
	for _, f := range directories {
		if err := v.fill(ctx, now, f); err != nil {
			return fmt.Errorf("copy %s: %w", filepath.Join(v.Source, f.path), err)
		}
	}
	return nil
}

// fatDirectory is a directory to be filled: where it is below the top, "" for that,
// and the names in it in the order of their bytes.
type fatDirectory struct {
	path               string
	files, directories []string
}

func (v VFAT) fill(ctx context.Context, now int64, f fatDirectory) error {
	// Command lines have a largest length.
	const atOnce = 200
	for names := f.files; len(names) > 0; names = names[min(atOnce, len(names)):] {
		argv := []string{"mcopy", "-p", "-i", v.Target}
		for _, name := range names[:min(atOnce, len(names))] {
			argv = append(argv, filepath.Join(v.Source, f.path, name))
		}
		if err := v.run(ctx, now, append(argv, "::/"+f.path)...); err != nil {
			return err
		}
	}
	for names := f.directories; len(names) > 0; names = names[min(atOnce, len(names)):] {
		argv := []string{"mmd", "-i", v.Target}
		for _, name := range names[:min(atOnce, len(names))] {
			argv = append(argv, "::/"+filepath.Join(f.path, name))
		}
		if err := v.run(ctx, now, argv...); err != nil {
			return err
		}
	}
	return nil
}

// listing returns all directories, parents first, and says what is in them that
// FAT cannot hold.
func (v VFAT) listing() ([]fatDirectory, error) {
	source, err := filepath.EvalSymlinks(v.Source)
	if err != nil {
		return nil, err
	}
	l := fatListing{VFAT: v, source: source}
	if err := l.visit(""); err != nil {
		return nil, err
	}
	return l.dirs, errors.Join(l.faults...)
}

// fatListing is a listing in the making.
type fatListing struct {
	VFAT
	source string // without links on the way
	dirs   []fatDirectory
	faults []error
}

func (l *fatListing) fault(path, format string, args ...any) {
	l.faults = append(l.faults, fmt.Errorf("%s: %s", path, fmt.Sprintf(format, args...)))
}

// visit lists a directory, by its path below the source, and all below it.
func (l *fatListing) visit(path string) error {
	entries, err := os.ReadDir(filepath.Join(l.source, path))
	if err != nil {
		return err
	}
	dir := fatDirectory{path: path}
	seen := map[string]string{}
	for _, e := range entries {
		name := e.Name()
		at, upper := filepath.Join(l.source, path, name), strings.ToUpper(name)
		switch {
		case seen[upper] != "":
			l.fault(at, "on a FAT this name is the same as %q", seen[upper])
			continue
		case !fatName(name, e.IsDir()):
			l.fault(at, "FAT does not allow this name")
			continue
		}
		seen[upper] = name
		l.entry(&dir, e, at)
	}
	l.dirs = append(l.dirs, dir)
	for _, name := range dir.directories {
		if err := l.visit(filepath.Join(path, name)); err != nil {
			return err
		}
	}
	return nil
}

// entry takes in what a directory holds at the path at.
func (l *fatListing) entry(dir *fatDirectory, e os.DirEntry, at string) {
	switch {
	case e.IsDir():
		dir.directories = append(dir.directories, e.Name())
	case e.Type().IsRegular():
		dir.files = append(dir.files, e.Name())
	case e.Type()&os.ModeSymlink != 0:
		switch to := linkedTo(l.source, at); {
		case to == nil:
			l.fault(at, "FAT has no symbolic links, and what this one leads to is neither a file nor a directory in %s", l.Source)
		case !to.IsDir():
			dir.files = append(dir.files, e.Name())
		case dir.path == "":
			dir.directories = append(dir.directories, e.Name())
		default:
			// mcopy leaves these out as well: they may lead in a circle.
			l.note("%s is left out: FAT has no symbolic links, and this one leads to a directory", at)
		}
	default:
		l.fault(at, "FAT only has files and directories")
	}
}

// linkedTo returns the file or directory, in the directory top, that a symbolic link
// leads to; nil if it leads nowhere else.
func linkedTo(top, link string) os.FileInfo {
	to, err := filepath.EvalSymlinks(link)
	if err != nil || to != top && !strings.HasPrefix(to, top+"/") {
		return nil
	}
	info, err := os.Stat(to)
	if err != nil || !info.IsDir() && !info.Mode().IsRegular() {
		return nil
	}
	return info
}

// note writes a line for people.
func (t Tools) note(format string, args ...any) {
	if t.Log != nil {
		fmt.Fprintf(t.Log, format+"\n", args...)
	}
}

// fatName reports whether mtools gives a file or directory the name as it is: some
// it would change silently, and what looks like a pattern it takes for
// one where it names a directory.
func fatName(name string, directory bool) bool {
	if strings.HasSuffix(name, ".") || strings.HasSuffix(name, " ") || len(name) > 255 {
		return false
	}
	if strings.IndexFunc(name, func(r rune) bool { return r < 0x20 || strings.ContainsRune(`"*:<>?\|`, r) }) >= 0 {
		return false
	}
	return !directory || !strings.ContainsAny(name, "[]")
}
