package config

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// debsDir is the directory of a feature with packages of its own.
const debsDir = "file.debs"

// mostControl bounds the control data of a package that is read, in bytes.
const mostControl = 16 << 20

// readDebs takes in the packages of a feature.
func (l *loader) readDebs(f *Feature, dir string) {
	info, err := fs.Stat(l.fsys, dir)
	if err != nil || !info.IsDir() {
		l.say(Fault(FileStart(dir), "Not a directory", "%s is the directory of a feature's own packages, files that end in .deb.", debsDir))
		return
	}
	for _, e := range l.readDir(dir) {
		name := path.Join(dir, e.Name())
		l.count(name, PartsOfFile)
		info, err := fs.Stat(l.fsys, name)
		switch {
		case strings.HasPrefix(e.Name(), "."), !l.sound(name):
		case err != nil:
			l.say(Fault(FileStart(name), "Cannot read file", "%s.", err))
		case info.IsDir():
			l.say(Fault(FileStart(name), "Directory among packages", "Packages are read from %s itself, not from directories in it.", debsDir))
		case path.Ext(name) != ".deb":
			l.say(Fault(FileStart(name), "Not a package", "%s is for packages, files that end in .deb.", debsDir))
		default:
			deb := Deb{File: name, Range: FileStart(name)}
			if err := l.readDeb(&deb, info.Size()); err != nil {
				l.say(Fault(deb.Range, "Not a package", "The file is not a Debian package: %s.", err))
				continue
			}
			f.Debs = append(f.Debs, deb)
		}
	}
}

// readDeb reads as much of a package as can be read without a program: the members
// of the archive, and the control data if gzip or nothing compresses it. See deb(5).
func (l *loader) readDeb(deb *Deb, size int64) error {
	file, err := l.fsys.Open(deb.File)
	if err != nil {
		return err
	}
	defer file.Close()
	ar := &arReader{r: bufio.NewReader(file), left: size}
	if err := ar.magic(); err != nil {
		return err
	}
	version, err := ar.member("debian-binary")
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(version, []byte("2.")) {
		return fmt.Errorf("its format is %q, not 2.0", Cut(strings.TrimSpace(string(version)), 20))
	}
	control, err := ar.member("control.tar")
	if err != nil {
		return err
	}
	ending := ar.ending
	if err := ar.enter("data.tar"); err != nil {
		return err
	}
	var plain io.Reader = bytes.NewReader(control)
	switch ending {
	case "":
	case ".gz":
		if plain, err = gzip.NewReader(plain); err != nil {
			return fmt.Errorf("its control data cannot be read: %w", err)
		}
	default:
		return nil
	}
	text, err := controlFile(plain)
	if err != nil {
		return fmt.Errorf("its control data cannot be read: %w", err)
	}
	for line := range strings.Lines(text) {
		field, value, _ := strings.Cut(line, ":")
		for name, to := range map[string]*string{"package": &deb.Package, "version": &deb.Version, "architecture": &deb.Arch} {
			if strings.EqualFold(field, name) {
				*to = strings.TrimSpace(value)
			}
		}
	}
	if deb.Package == "" || deb.Version == "" || deb.Arch == "" {
		return errors.New("its control data lacks Package, Version or Architecture")
	}
	return nil
}

// controlFile returns the file control of an archive of control data.
func controlFile(r io.Reader) (string, error) {
	members := tar.NewReader(io.LimitReader(r, mostControl))
	for {
		h, err := members.Next()
		if errors.Is(err, io.EOF) {
			return "", errors.New("it has no file control")
		}
		if err != nil {
			return "", err
		}
		if path.Clean(h.Name) == "control" && h.Typeflag == tar.TypeReg {
			text, err := io.ReadAll(members)
			return string(text), err
		}
	}
}

// arReader reads the members of an ar archive in their order; see ar(5).
type arReader struct {
	r    *bufio.Reader
	left int64 // bytes of the file that are not read yet
	size int64 // of the member that was entered
	// ending is what follows the expected name: how the member is compressed.
	ending string
}

func (a *arReader) magic() error {
	magic := make([]byte, 8)
	n, _ := io.ReadFull(a.r, magic)
	a.left -= int64(n)
	switch {
	case n == 0:
		return errors.New("it is empty")
	case string(magic) == "version ":
		return errors.New("it seems to be a pointer of Git LFS: git lfs pull brings the file itself")
	case string(magic) != "!<arch>\n":
		return errors.New("it is not an ar archive")
	}
	return nil
}

// enter reads the header of the next member, whose name has to begin with name.
// Members whose name begins with "_" are for others, and passed over.
func (a *arReader) enter(name string) error {
	for {
		head := make([]byte, 60)
		if _, err := io.ReadFull(a.r, head); err != nil {
			return fmt.Errorf("it ends where %s should begin", name)
		}
		a.left -= 60
		size, err := strconv.ParseInt(strings.TrimSpace(string(head[48:58])), 10, 64)
		if err != nil || size < 0 || string(head[58:]) != "`\n" {
			return errors.New("it is not an ar archive all through")
		}
		if size > a.left {
			return fmt.Errorf("it ends within %s: %d bytes are missing", strings.TrimRight(string(head[:16]), " /"), size-a.left)
		}
		member := strings.TrimSuffix(strings.TrimRight(string(head[:16]), " "), "/")
		a.size = size
		if ending, ok := strings.CutPrefix(member, name); ok {
			a.ending = ending
			return nil
		}
		if !strings.HasPrefix(member, "_") {
			return fmt.Errorf("it has %s where %s should be", strconv.Quote(member), name)
		}
		if _, err := a.content(); err != nil {
			return err
		}
	}
}

// content reads the member that was entered.
func (a *arReader) content() ([]byte, error) {
	if a.size > mostControl {
		return nil, fmt.Errorf("it has a member of %d bytes before its data", a.size)
	}
	data := make([]byte, a.size)
	if _, err := io.ReadFull(a.r, data); err != nil {
		return nil, err
	}
	a.left -= a.size
	if a.size%2 == 1 {
		if _, err := a.r.Discard(1); err != nil {
			return nil, err
		}
		a.left--
	}
	return data, nil
}

// member reads the next member, whose name has to begin with name.
func (a *arReader) member(name string) ([]byte, error) {
	if err := a.enter(name); err != nil {
		return nil, err
	}
	return a.content()
}
