package debian

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/sandbox"
)

// largestChangelog is how long an unpacked changelog may be, in bytes.
const largestChangelog = 64 << 20

// CompareVersions orders versions as dpkg does.
func (Family) CompareVersions(a, b string) int { return CompareVersions(a, b) }

// ChangelogFiles are those of Debian policy, 12.7; packages of Debian itself have no other
// changelog than Debian's, and what was only compiled again has one for its architecture.
func (Family) ChangelogFiles(p distro.Package) []string {
	dir := path.Join("usr/share/doc", p.Name)
	return []string{
		path.Join(dir, "changelog.Debian."+p.Arch+".gz"), path.Join(dir, "changelog.Debian.gz"), path.Join(dir, "changelog.gz"),
		path.Join(dir, "changelog.Debian"), path.Join(dir, "changelog"),
	}
}

// entryHead is the first line of an entry, see deb-changelog(5).
var entryHead = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9+.-]* \(([^)\s]+)\)[^;]*(?:;.*?urgency=([A-Za-z]+))?`)

// ReadChangelog reads deb-changelog(5), compressed by gzip or not.
func (Family) ReadChangelog(content []byte, after, until string) ([]distro.ChangelogEntry, error) {
	text, err := unzipped(content)
	if err != nil {
		return nil, fmt.Errorf("read a changelog: %w", err)
	}
	var out []distro.ChangelogEntry
	var lines []string
	var entry *distro.ChangelogEntry
	end := func() {
		if entry != nil && CompareVersions(entry.Version, after) > 0 && CompareVersions(entry.Version, until) <= 0 {
			entry.Text = strings.Trim(strings.Join(lines, "\n"), "\n")
			out = append(out, *entry)
		}
		entry, lines = nil, nil
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, " \t\r\n")
		if m := entryHead.FindStringSubmatch(line); m != nil {
			end()
			entry = &distro.ChangelogEntry{Version: m[1], Urgency: strings.ToLower(m[2])}
			continue
		}
		if entry == nil {
			continue
		}
		if sign, ok := strings.CutPrefix(line, " -- "); ok {
			_, entry.Date, _ = strings.Cut(sign, ">  ")
			end()
			continue
		}
		lines = append(lines, line)
	}
	end()
	return out, nil
}

// unzipped returns the content of a file that may be compressed by gzip, if it is not longer
// than a changelog can be.
func unzipped(content []byte) ([]byte, error) {
	if !bytes.HasPrefix(content, []byte{0x1f, 0x8b}) {
		return content, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(z, largestChangelog+1))
	if err == nil && len(text) > largestChangelog {
		err = fmt.Errorf("it has more than %d bytes", largestChangelog)
	}
	return text, err
}

// PackageChangelog unpacks the changelog alone, by dpkg-deb(1).
func (f Family) PackageChangelog(ctx context.Context, file string, p distro.Package) ([]byte, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	out, in := io.Pipe()
	var stderr bytes.Buffer
	failed := make(chan error, 1)
	go func() {
		err := sandbox.Command{Argv: []string{"dpkg-deb", "--fsys-tarfile", file}, Env: sandbox.HostEnv(), Stdout: in, Stderr: &stderr, Family: true}.Run(ctx)
		in.CloseWithError(err)
		failed <- err
	}()
	content, err := f.findChangelog(tar.NewReader(out), p)
	// The rest of the package is not read.
	stop()
	out.Close()
	if err != nil && !errors.Is(err, fs.ErrNotExist) && stderr.Len() > 0 {
		err = fmt.Errorf("%w: %s", err, strings.TrimSpace(stderr.String()))
	}
	<-failed
	return content, err
}

// findChangelog reads the changelog of a package from its files.
func (f Family) findChangelog(files *tar.Reader, p distro.Package) ([]byte, error) {
	names := f.ChangelogFiles(p)
	found, best := []byte(nil), len(names)
	for {
		head, err := files.Next()
		if err == io.EOF && found != nil {
			return found, nil
		}
		if err == io.EOF {
			return nil, fs.ErrNotExist
		}
		if err != nil {
			return nil, err
		}
		i := slices.Index(names, path.Clean(strings.TrimPrefix(head.Name, "./")))
		if i < 0 || i >= best || head.Typeflag != tar.TypeReg {
			continue
		}
		if found, err = io.ReadAll(io.LimitReader(files, largestChangelog)); err != nil {
			return nil, err
		}
		if best = i; best <= 1 {
			return found, nil
		}
	}
}
