package config

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// LinkError is a symbolic link that cannot be followed within the tree.
type LinkError struct {
	Name   string // the link, in the tree
	Target string // what it says
	Reason string
}

func (e *LinkError) Error() string {
	return fmt.Sprintf("%s is a link to %q, %s", e.Name, e.Target, e.Reason)
}

// The reasons for which a link is not followed.
const (
	leadsOut   = "which is not in this tree"
	leadsNever = "which does not exist"
	leadsRound = "which leads in a circle"
)

// maxLinks is how many links may be on the way to one file, as in Linux.
const maxLinks = 40

// Follow returns where name leads: a name without a link on its way. Links
// are followed as far as they stay in the tree; one that does not is a
// [LinkError], and so is one that leads nowhere, or round in a circle.
func Follow(fsys fs.FS, name string) (string, error) {
	if forest, ok := fsys.(*Forest); ok {
		r, name := forest.Find(name)
		real, err := Follow(r.FS, name)
		return r.Prefix + real, r.placed(err)
	}
	rest := strings.Split(path.Clean(name), "/")
	real := "."
	var last *LinkError
	for links := 0; len(rest) > 0; {
		next := rest[0]
		rest = rest[1:]
		switch {
		case next == "..":
			if real == "." {
				last.Reason = leadsOut
				return "", last
			}
			real = path.Dir(real)
			continue
		case next == "." || next == "":
			continue
		}
		at := path.Join(real, next)
		info, err := fs.Lstat(fsys, at)
		switch {
		case err != nil && last != nil && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid)):
			last.Reason = leadsNever
			return "", last
		case err != nil:
			return "", err
		case info.Mode().Type() != fs.ModeSymlink:
			real = at
			continue
		}
		target, err := fs.ReadLink(fsys, at)
		if err != nil {
			return "", err
		}
		last = &LinkError{Name: at, Target: target}
		if links++; links > maxLinks {
			last.Reason = leadsRound
			return "", last
		}
		if path.IsAbs(target) {
			last.Reason = leadsOut
			return "", last
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	return real, nil
}

// placed gives the link of a [LinkError] the name that it has in a forest.
func (r *Root) placed(err error) error {
	if link := (*LinkError)(nil); errors.As(err, &link) && r.Prefix != "" {
		return &LinkError{Name: r.Prefix + link.Name, Target: link.Target, Reason: link.Reason}
	}
	return err
}

// File is something in a feature's directory.
type File struct {
	Name string // below the directory
	Real string // where it is in the tree, through links that are followed
	Info fs.FileInfo
	// Target is set for links that stay links.
	Target string
}

// WalkFeature visits what is in the directory dir and below, in the order of
// names, each directory before what is in it. What pick does not choose is left
// out, directories with all that is in them.
//
// A link in a feature's directory means the file that it leads to, so links
// there are followed, within the tree. Further down, where files are kept to be
// copied, links are content: below file.include always, elsewhere unless they
// lead to something of this tree that would be missing without them. With
// lenient set, a link that cannot be followed stays a link; else it is a
// [LinkError].
func WalkFeature(fsys fs.FS, dir string, lenient bool, pick func(name string, isDir bool) bool, visit func(File) error) error {
	if forest, ok := fsys.(*Forest); ok {
		r, dir := forest.Find(dir)
		return r.placed(WalkFeature(r.FS, dir, lenient, pick, func(f File) error {
			f.Real = r.Prefix + f.Real
			return visit(f)
		}))
	}
	real, err := Follow(fsys, dir)
	if err != nil {
		return err
	}
	w := &featureWalk{fsys: fsys, lenient: lenient, pick: pick, visit: visit}
	return w.walk("", real, "")
}

type featureWalk struct {
	fsys    fs.FS
	lenient bool
	pick    func(string, bool) bool
	visit   func(File) error
	// open are the directories on the way, where they really are.
	open []string
}

// walk visits what is in a directory. top is the real place of the entry of
// the feature's directory that it belongs to.
func (w *featureWalk) walk(dir, real, top string) error {
	entries, err := fs.ReadDir(w.fsys, real)
	if err != nil {
		return err
	}
	w.open = append(w.open, real)
	defer func() { w.open = w.open[:len(w.open)-1] }()
	for _, e := range entries {
		f := File{Name: path.Join(dir, e.Name()), Real: path.Join(real, e.Name())}
		if err := w.look(&f, dir == "", top); err != nil {
			return err
		}
		if !w.pick(f.Name, f.Info.IsDir()) {
			continue
		}
		if err := w.visit(f); err != nil {
			return err
		}
		if !f.Info.IsDir() {
			continue
		}
		below := top
		if dir == "" {
			below = f.Real
		}
		if err := w.walk(f.Name, f.Real, below); err != nil {
			return err
		}
	}
	return nil
}

// look finds out what a name is, through a link if that is to be followed.
func (w *featureWalk) look(f *File, atTop bool, top string) error {
	var err error
	if f.Info, err = fs.Lstat(w.fsys, f.Real); err != nil || f.Info.Mode().Type() != fs.ModeSymlink {
		return err
	}
	if f.Target, err = fs.ReadLink(w.fsys, f.Real); err != nil {
		return err
	}
	if !atTop && isContent(f.Name) {
		return nil
	}
	if !w.pick(f.Name, false) && !w.pick(f.Name, true) {
		return nil
	}
	real, err := Follow(w.fsys, f.Real)
	if err != nil {
		// Editors keep hidden links that lead nowhere beside a file that is open.
		if !atTop || w.lenient || strings.HasPrefix(f.Name, ".") {
			return nil
		}
		return err
	}
	if !atTop && within(real, top) {
		return nil
	}
	for _, dir := range w.open {
		if within(dir, real) {
			return &LinkError{Name: f.Real, Target: f.Target, Reason: leadsRound}
		}
	}
	f.Real, f.Target = real, ""
	f.Info, err = fs.Lstat(w.fsys, real)
	return err
}

// isContent reports that something below a feature's directory is copied to the system
// as it is: a link stays a link.
func isContent(name string) bool {
	return strings.Contains(name, "/") && (top(name) == "file.include" || top(name) == templatesDir)
}

// top is the first part of a path.
func top(name string) string {
	first, _, _ := strings.Cut(name, "/")
	return first
}

// within reports whether a name is dir or below it.
func within(name, dir string) bool {
	return dir == "." || name == dir || strings.HasPrefix(name, dir+"/")
}

// sound reports that a name is not a link, or one that can be followed. One that
// cannot is reported.
func (l *loader) sound(name string) bool {
	_, err := Follow(l.fsys, name)
	var link *LinkError
	if errors.As(err, &link) {
		l.badLink(link)
		return false
	}
	return true // what else there is to say of it, its reader says
}

func (l *loader) badLink(e *LinkError) {
	l.say(Fault(FileStart(e.Name), "Link that cannot be followed", "It points to %q, %s. Links are followed within the tree only, so that what is built does not depend on anything else: make it a relative link to something in the tree, or a copy.", e.Target, e.Reason))
}

// checkLinks finds the links below a feature's directory that will not be what
// they seem to be.
func (l *loader) checkLinks(f *Feature) {
	var included string
	visit := func(file File) error {
		if file.Name == "file.include" || file.Name == templatesDir {
			included = file.Real
		}
		if strings.Contains(file.Name, "/") {
			l.oddFile(path.Join(f.Dir, file.Name), file.Info.Mode())
		}
		if file.Target == "" || !isContent(file.Name) {
			return nil
		}
		if real, err := Follow(l.fsys, file.Real); err == nil && !within(real, included) {
			l.say(Warning(FileStart(path.Join(f.Dir, file.Name)), "Link copied as a link", "It points to %q, which is %s in this tree. Links below %s are copied as links, and on the machine this one leads to another place: copy the files, or make %[3]s itself a link.", file.Target, real, top(file.Name)))
		}
		return nil
	}
	err := WalkFeature(l.fsys, f.Dir, false, func(string, bool) bool { return true }, visit)
	var link *LinkError
	switch {
	case errors.As(err, &link):
		l.badLink(link)
	case err != nil:
		l.say(Fault(FileStart(f.Dir), "Cannot read directory", "%s.", err))
	}
}

// odd reports something in a directory that is neither a regular file nor a
// directory, nor a link to one.
func (l *loader) odd(name string, e fs.DirEntry) bool {
	mode := e.Type()
	if mode.IsRegular() || mode.IsDir() {
		return false
	}
	info, err := fs.Stat(l.fsys, name)
	if err != nil {
		return l.oddFile(name, mode) // a link that leads nowhere is for others to judge
	}
	if l.oddFile(name, info.Mode()) {
		return true
	}
	// A file of /proc seems to be a regular one.
	f, err := l.fsys.Open(name)
	if err != nil {
		l.say(Fault(FileStart(name), "Cannot read file", "%s.", err))
		return true
	}
	f.Close()
	return false
}

func (l *loader) oddFile(name string, mode fs.FileMode) bool {
	kind := OddKind(mode)
	if kind != "" {
		l.say(Fault(FileStart(name), "Not a regular file", "It is %s. A tree holds regular files, directories and links to them: put a file in its place, or remove it.", kind))
	}
	return kind != ""
}

// OddKind names what is neither a regular file, a directory nor a link.
func OddKind(m fs.FileMode) string {
	switch {
	case m.IsRegular() || m.IsDir() || m.Type() == fs.ModeSymlink:
		return ""
	case m&fs.ModeNamedPipe != 0:
		return "a FIFO"
	case m&fs.ModeSocket != 0:
		return "a socket"
	case m&fs.ModeDevice != 0:
		return "a device"
	}
	return "neither a file nor a directory"
}

// linkFaults are the faulty links of a directory, by name.
func (l *loader) linkFaults(dir string, entries []fs.DirEntry) map[string]bool {
	bad := map[string]bool{}
	for _, e := range entries {
		if e.Type() == fs.ModeSymlink && !strings.HasPrefix(e.Name(), ".") && !l.sound(path.Join(dir, e.Name())) {
			bad[e.Name()] = true
		}
	}
	return bad
}
