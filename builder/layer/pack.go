package layer

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/treefs"
)

// xattrRecord is the prefix of the PAX records that hold extended attributes,
// as GNU tar, bsdtar and container tools have them.
const xattrRecord = "SCHILY.xattr."

// packFormat is the version of the archives. Change it if the packed bytes of the same files change: caches keep digests of archives (see
// [DataSum]) for later versions of this program.
const packFormat = 1

// socketRecord is the PAX record of an entry for a socket. Archives do not have a type for sockets, so the entry is a FIFO. A tree can have
// sockets, because a program that listens on a socket can leave it there.
const socketRecord = "TREEWRIGHT.socket"

// pack writes the directory dir as a tar archive whose bytes
// depend on nothing but the directory's content: names in order, owners by number,
// modes, times to the nanosecond, extended attributes, hard links, and devices,
// which is what overlayfs's whiteouts are. What [ForgetHost] would remove is
// left out. The archive is not compressed; compression is for the program that carries it
// elsewhere.
func pack(w io.Writer, dir string) error {
	return (&packer{dir: dir}).pack(w)
}

func (p *packer) pack(w io.Writer) error {
	tw := tar.NewWriter(w)
	p.tw, p.names = tw, map[[2]uint64]string{}
	dir := p.dir
	if err := filepath.WalkDir(dir, p.add); err != nil {
		return fmt.Errorf("pack %s: %w", dir, err)
	}
	if err := tw.Close(); err != nil {
		return fmt.Errorf("pack %s: %w", dir, err)
	}
	return nil
}

type packer struct {
	tw  *tar.Writer
	dir string
	// only are the names in dir that are packed, nil for all. Of these, only directories in it keep owners, modes and times.
	only []string
	// bare leaves out owners, times and extended attributes, and packs hard links as separate files.
	bare bool
	// names are the first names of files that have several, by device and inode.
	names map[[2]uint64]string
}

func (p *packer) add(path string, d fs.DirEntry, err error) error {
	if err != nil {
		return err
	}
	rel, err := filepath.Rel(p.dir, path)
	if err != nil {
		return err
	}
	top, _, _ := strings.Cut(rel, "/")
	if p.only != nil && rel != "." && !slices.Contains(p.only, top) {
		if d.IsDir() {
			return fs.SkipDir
		}
		return nil // it may be gone by now
	}
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return &fs.PathError{Op: "lstat", Path: path, Err: err}
	}
	head, err := headerOf(path, rel, &st)
	if err != nil {
		return err
	}
	if p.only != nil && top == rel && (rel == "." || head.Typeflag != tar.TypeDir) {
		head.Uid, head.Gid, head.Mode, head.ModTime = 0, 0, 0o644, time.Unix(0, 0)
		if head.Typeflag == tar.TypeDir {
			head.Mode = 0o755
		}
	}
	if p.bare {
		head.Uid, head.Gid, head.ModTime = 0, 0, time.Unix(0, 0)
	}
	// The kernel makes whiteouts as links to each other as it pleases; that says
	// nothing about the layer.
	whiteout := head.Typeflag == tar.TypeChar && st.Rdev == 0
	if id := [2]uint64{st.Dev, st.Ino}; st.Nlink > 1 && !p.bare && head.Typeflag != tar.TypeDir && !whiteout {
		if first, ok := p.names[id]; ok {
			return p.tw.WriteHeader(&tar.Header{Typeflag: tar.TypeLink, Name: head.Name, Linkname: first, Format: tar.FormatPAX, ModTime: time.Unix(0, 0)})
		}
		p.names[id] = head.Name
	}
	if !p.bare {
		if err := readAttributes(path, head.PAXRecords); err != nil {
			return err
		}
	}
	if head.Typeflag != tar.TypeReg {
		return p.tw.WriteHeader(head)
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return p.content(head, f)
}

// content writes the header and the content of a regular file, without long runs of zeros.
func (p *packer) content(head *tar.Header, f *os.File) error {
	parts, err := partsOf(f, head.Size)
	if err != nil {
		return err
	}
	if parts == nil {
		parts = []part{{0, head.Size}}
	} else {
		head.PAXRecords[sparseRecord] = formatParts(head.Size, parts)
		head.Size = 0
		for _, part := range parts {
			head.Size += part.length
		}
	}
	if err := p.tw.WriteHeader(head); err != nil {
		return err
	}
	for _, part := range parts {
		if _, err := io.Copy(p.tw, io.NewSectionReader(f, part.offset, part.length)); err != nil {
			return err
		}
	}
	return nil
}

// headerOf returns what a tarball says of a file besides its content, its further
// names and its extended attributes. rel is its path below the packed directory.
func headerOf(path, rel string, st *unix.Stat_t) (*tar.Header, error) {
	head := &tar.Header{
		Name: "./" + rel, Mode: int64(st.Mode & 0o7777), Uid: int(st.Uid), Gid: int(st.Gid),
		ModTime: time.Unix(st.Mtim.Unix()), Format: tar.FormatPAX, PAXRecords: map[string]string{},
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		head.Typeflag = tar.TypeDir
		head.Name = "./" + rel + "/"
		if rel == "." {
			head.Name = "./"
		}
	case unix.S_IFREG:
		head.Typeflag, head.Size = tar.TypeReg, st.Size
	case unix.S_IFLNK:
		head.Typeflag = tar.TypeSymlink
		var err error
		if head.Linkname, err = os.Readlink(path); err != nil {
			return nil, err
		}
	case unix.S_IFCHR, unix.S_IFBLK:
		head.Typeflag = tar.TypeChar
		if st.Mode&unix.S_IFMT == unix.S_IFBLK {
			head.Typeflag = tar.TypeBlock
		}
		head.Devmajor, head.Devminor = int64(unix.Major(st.Rdev)), int64(unix.Minor(st.Rdev))
	case unix.S_IFIFO:
		head.Typeflag = tar.TypeFifo
	case unix.S_IFSOCK:
		head.Typeflag = tar.TypeFifo
		head.PAXRecords[socketRecord] = "1"
	default:
		return nil, fmt.Errorf("%s has an unknown type", path)
	}
	return head, nil
}

// readAttributes puts a file's extended attributes into PAX records.
func readAttributes(path string, records map[string]string) error {
	attrs, err := treefs.Attributes(path, ofHost)
	for name, value := range attrs {
		records[xattrRecord+name] = value
	}
	return err
}

// unpack makes an archive of pack into files below dir, which must be there
// and empty. Owners, devices and some attributes take root. An archive that
// names a file twice, or one outside dir, is refused; what was unpacked until
// then stays.
func unpack(r io.Reader, dir string) error {
	u := unpacker{dir: dir, dirs: map[string]*tar.Header{}}
	tr := tar.NewReader(r)
	for {
		head, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = u.add(head, tr)
		}
		if err != nil {
			return fmt.Errorf("unpack into %s: %w", dir, err)
		}
	}
	// What was put into a directory changed its times.
	for rel, head := range u.dirs {
		if err := setTime(filepath.Join(dir, rel), head.ModTime); err != nil {
			return fmt.Errorf("unpack into %s: %w", dir, err)
		}
	}
	return nil
}

type unpacker struct {
	dir string
	// dirs are those unpacked so far. A file's directory must be among them: so no
	// link can lead out of dir.
	dirs map[string]*tar.Header
}

func (u *unpacker) add(head *tar.Header, content io.Reader) error {
	rel := filepath.Clean(head.Name)
	path := filepath.Join(u.dir, rel)
	if rel == "." && head.Typeflag == tar.TypeDir && len(u.dirs) == 0 {
		u.dirs["."] = head
		return setAttributes(path, head)
	}
	if !filepath.IsLocal(rel) || u.dirs[filepath.Dir(rel)] == nil {
		return fmt.Errorf("%q is not below a directory of the tarball", head.Name)
	}
	mode := uint32(head.Mode & 0o7777)
	device := int(unix.Mkdev(uint32(head.Devmajor), uint32(head.Devminor)))
	var err error
	switch head.Typeflag {
	case tar.TypeDir:
		err = os.Mkdir(path, 0o700)
	case tar.TypeReg:
		err = writeNew(path, head, content)
	case tar.TypeSymlink:
		err = os.Symlink(head.Linkname, path)
	case tar.TypeLink:
		first := filepath.Clean(head.Linkname)
		if !filepath.IsLocal(first) || u.dirs[filepath.Dir(first)] == nil {
			return fmt.Errorf("%q is a link to %q, which is not below a directory of the tarball", head.Name, head.Linkname)
		}
		return os.Link(filepath.Join(u.dir, first), path)
	case tar.TypeChar:
		err = unix.Mknod(path, unix.S_IFCHR|mode, device)
	case tar.TypeBlock:
		err = unix.Mknod(path, unix.S_IFBLK|mode, device)
	case tar.TypeFifo:
		if head.PAXRecords[socketRecord] != "" {
			err = unix.Mknod(path, unix.S_IFSOCK|mode, 0)
		} else {
			err = unix.Mkfifo(path, mode)
		}
	default:
		return fmt.Errorf("%q is of the unknown type %q", head.Name, head.Typeflag)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", rel, err)
	}
	if head.Typeflag == tar.TypeDir {
		u.dirs[rel] = head
	}
	return setAttributes(path, head)
}

func writeNew(path string, head *tar.Header, content io.Reader) error {
	size, parts := head.Size, []part{{0, head.Size}}
	if record, ok := head.PAXRecords[sparseRecord]; ok {
		var err error
		if size, parts, err = parseParts(record, head.Size); err != nil {
			return err
		}
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	for _, part := range parts {
		if err == nil {
			err = copySparse(io.NewOffsetWriter(f, part.offset), io.LimitReader(content, part.length))
		}
	}
	if err == nil {
		err = f.Truncate(size)
	}
	return errors.Join(err, f.Close())
}

// copySparse copies content into a file. Runs of zeros become holes.
func copySparse(to io.WriterAt, content io.Reader) error {
	var size int64
	buf := make([]byte, 64<<10)
	for {
		n, err := fill(buf, content)
		if !bytes.Equal(buf[:n], zeros[:n]) {
			if _, err := to.WriteAt(buf[:n], size); err != nil {
				return err
			}
		}
		size += int64(n)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// fill reads until buf is full, or to the end. Unlike io.ReadFull, it keeps the error of an archive that ends early
// apart from the end of a file in it.
func fill(buf []byte, from io.Reader) (n int, err error) {
	for n < len(buf) && err == nil {
		var m int
		m, err = from.Read(buf[n:])
		n += m
	}
	return n, err
}

// setAttributes sets what a header says of a file besides its content.
func setAttributes(path string, head *tar.Header) error {
	attrs := map[string]string{}
	for record, value := range head.PAXRecords {
		if name, ok := strings.CutPrefix(record, xattrRecord); ok {
			attrs[name] = value
		}
	}
	mode := uint32(head.Mode & 0o7777)
	if head.Typeflag == tar.TypeSymlink {
		mode |= unix.S_IFLNK
	}
	if err := treefs.SetMetadata(path, head.Uid, head.Gid, mode, attrs); err != nil {
		return err
	}
	return setTime(path, head.ModTime)
}

func setTime(path string, at time.Time) error {
	ts := unix.NsecToTimespec(at.UnixNano())
	if err := unix.UtimesNanoAt(unix.AT_FDCWD, path, []unix.Timespec{ts, ts}, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return &fs.PathError{Op: "utimes", Path: path, Err: err}
	}
	return nil
}
