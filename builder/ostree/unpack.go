package ostree

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/treewright/treewright/builder/layer"
)

// bounds are what a tarball may hold.
type bounds struct {
	// bytes is the most that it may unpack to, names and padding included; why
	// says where that comes from.
	bytes int64
	why   string
	// entries is the most files and directories.
	entries int
}

const (
	// A repository's objects are compressed already: its tarball is hardly smaller.
	unpackTimes   = 50
	unpackAtLeast = 64 << 20
	unpackEntries = 4 << 20
	// longestName and deepestName bound what is in a repository by far: its own
	// names are short, and those of refs are typed by people.
	longestName = 1000
	deepestName = 50
)

// boundsOf returns what a tarball may unpack to in dir: in proportion to its
// size, and to the space there is.
func boundsOf(tarball, dir string) (bounds, error) {
	info, err := os.Stat(tarball)
	if err != nil {
		return bounds{}, err
	}
	room, err := layer.FreeSpace(dir)
	if err != nil {
		return bounds{}, err
	}
	b := bounds{bytes: unpackAtLeast + unpackTimes*info.Size(), entries: unpackEntries}
	b.why = fmt.Sprintf("that is much more than a repository of %d bytes contains", info.Size())
	if room = max(room-spareRoom, 0); room < b.bytes {
		b.bytes, b.why = room, fmt.Sprintf("the disk with %s has no space left", dir)
	}
	return b, nil
}

// bounded reads up to so many bytes; more are an error.
type bounded struct {
	r    io.Reader
	left int64
	over error
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p[:min(int64(len(p)), b.left+1)])
	if b.left -= int64(n); b.left < 0 {
		return 0, b.over
	}
	return n, err
}

// unpack unpacks files and directories of a .tar.gz, up to its proper end, below
// dir. Whatever else is in there, would land outside, or is out of bounds, is an
// error.
func unpack(tarball, dir string, within bounds) error {
	f, err := os.Open(tarball)
	if err != nil {
		return err
	}
	defer f.Close()
	gz, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	over := fmt.Errorf("it unpacks to more than %d bytes: %s", within.bytes, within.why)
	stream := &bounded{gz, within.bytes, over}
	tr := tar.NewReader(stream)
	// The holes of a file are not in the stream.
	content := &bounded{tr, within.bytes, over}
	for entries := 0; ; entries++ {
		head, err := tr.Next()
		if errors.Is(err, io.EOF) {
			// The checksum at the very end is read here.
			_, err = io.Copy(io.Discard, stream)
			return err
		}
		if err != nil {
			return err
		}
		if entries == within.entries {
			return fmt.Errorf("it holds more than %d files and directories", within.entries)
		}
		name := filepath.Clean(strings.TrimPrefix(head.Name, "./"))
		if len(name) > longestName || strings.Count(name, "/") >= deepestName {
			return fmt.Errorf("the name %.100q... is too long, or has too many levels, for a file of a repository", name)
		}
		switch head.Typeflag {
		case tar.TypeDir:
			err = root.MkdirAll(name, 0o755)
		case tar.TypeReg:
			err = unpackFile(root, name, content)
		default:
			err = fmt.Errorf("%s is neither file nor directory", head.Name)
		}
		if err != nil {
			return err
		}
	}
}

func unpackFile(root *os.Root, name string, r io.Reader) error {
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	out, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, r); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

// spareRoom is what a download and its content leave free on the disk, in bytes.
const spareRoom = 256 << 20
