package debian

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/treewright/treewright/builder/distro"
)

// The files of a pool, with the names that apt expects in an archive that is a directory (sources.list(5), "exact path").
const (
	poolPackages = "Packages"
	poolRelease  = "Release"
)

// The fields that a pool's index has beside the fields of an archive: the path of the file in its archive, and the
// source of that archive. With them a package is the same whether it was chosen from the archive or from the pool.
const (
	archiveFilename = "Treewright-Filename"
	archiveSource   = "Treewright-Source"
	archiveSuite    = "Treewright-Suite"
)

// PoolNames are the names of the files of a pool.
func (Family) PoolNames() distro.PoolNames {
	return distro.PoolNames{Packages: poolPackages, Signed: poolRelease, Detached: "Release.gpg", Clear: "InRelease"}
}

// PooledFile is the path of a package below the directory of the pools.
func (Family) PooledFile(p distro.Archived) string { return poolFile(p) }

// PoolIndex makes the pool an archive for `deb URL COMMIT/`. apt accepts a release file only if it is not older than its
// own copy, so a changed pool gets a newer release file. It warns of a release file with another code name than the source's.
func (Family) PoolIndex(commit string, packages []distro.Archived, built time.Time, before func(name string) []byte) (distro.PoolIndex, error) {
	out := distro.PoolIndex{Packages: map[string]distro.PoolPackage{}}
	archs, text := []string{}, strings.Builder{}
	for i, p := range packages {
		if i > 0 {
			text.WriteByte('\n')
		}
		text.WriteString(filenameLine.ReplaceAllLiteralString(strings.TrimRight(p.Stanza, "\n"), "Filename: "+poolFile(p)))
		fmt.Fprintf(&text, "\n%s: %s\n%s: %s\n%s: %s\n", archiveFilename, p.Filename, archiveSource, cmp.Or(p.Source, distro.MainSource), archiveSuite, p.Suite)
		out.Packages[poolFile(p)] = distro.PoolPackage{From: "pool/" + poolName(p), SHA256: p.SHA256}
		if !slices.Contains(archs, p.Arch) {
			archs = append(archs, p.Arch)
		}
	}
	slices.Sort(archs)
	list := []byte(text.String())
	if old, ok := readRelease(before(poolRelease)); ok && bytes.Equal(before(poolPackages), list) {
		built = old.Date
	} else if ok && !old.Date.Before(built) {
		built = old.Date.Add(time.Second)
	}
	out.Files = map[string][]byte{
		poolPackages: list,
		poolRelease: fmt.Appendf(nil, "Origin: Treewright\nLabel: packages for a commit\nCodename: %s\nArchitectures: %s\nDate: %s\nSHA256:\n %s\n",
			commit, strings.Join(archs, " "), built.UTC().Format("Mon, 02 Jan 2006 15:04:05 UTC"), indexLine(list)),
	}
	return out, nil
}

// indexLine is the line of a release file for an index.
func indexLine(index []byte) string {
	return fmt.Sprintf("%x %d %s", sha256.Sum256(index), len(index), poolPackages)
}

// Pooled reads a pool. The index has to have the hash that the release file has for it, and the release file has to be that of
// the commit: the signature of another pool is valid too.
func (Family) Pooled(commit string, read func(name string) ([]byte, error)) ([]distro.Archived, error) {
	release, err := read(poolRelease)
	if err != nil {
		return nil, err
	}
	if of := field(release, "Codename"); of != commit {
		return nil, fmt.Errorf("%s is the release file of the pool of %q", poolRelease, of)
	}
	list, err := read(poolPackages)
	if err != nil {
		return nil, err
	}
	if !strings.Contains(string(release), "\n "+indexLine(list)+"\n") {
		return nil, fmt.Errorf("%s is not the file that %s has the SHA-256 of", poolPackages, poolRelease)
	}
	packages, err := parsePackages(list)
	if err != nil {
		return nil, err
	}
	for i, p := range packages {
		if p.Filename != poolFile(p) {
			return nil, fmt.Errorf("the file of %s is %s, and has to be %s", p.Package, p.Filename, poolFile(p))
		}
		if packages[i], err = fromPool(p); err != nil {
			return nil, err
		}
	}
	return packages, nil
}

// fromPool returns a pool's package with the description of its archive.
func fromPool(p distro.Archived) (distro.Archived, error) {
	value := func(name string) string { return field([]byte(p.Stanza), name) }
	source, suite := value(archiveSource), value(archiveSuite)
	stanza := filenameLine.ReplaceAllLiteralString(withoutFields(p.Stanza, archiveFilename, archiveSource, archiveSuite), "Filename: "+value(archiveFilename))
	out, err := parsePackage([]byte(stanza))
	out.Source, out.Suite = source, suite
	return out, err
}
