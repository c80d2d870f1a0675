package buildtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/distro/debian"
)

// Missing begins the names of packages that the archive has not.
const Missing = "no-such-"

// family is Debian with an archive of its own.
type family struct{ debian.Family }

func (family) Access(context.Context, []string) (distro.Access, error) { return access{}, nil }

// access is that of a machine whose apt is told nothing.
type access struct{ debian.Policy }

func (access) Open(_ context.Context, o distro.ArchiveOptions) (distro.Archive, error) {
	return archive{o.Sources, o.Arch}, nil
}

// versions are those of packages that the plan asks to be new enough, in all suites
// but one whose name tells nothing of its age. All others have the version 1.
var versions = map[string]string{"ostree": "2026.4-1", "e2fsprogs": "1.47.4-1"}

// OldSuite is the name of that suite.
const OldSuite = "oldest"

// archive has every package but those called [Missing], each alone.
type archive struct {
	sources []distro.Source
	arch    string
}

// bootstrapped is what is installed without being asked for.
var bootstrapped = []distro.Want{{Name: "apt"}, {Name: "base-files"}, {Name: "dpkg"}}

func (a archive) Resolve(_ context.Context, on *distro.Closure, wants []distro.Want) (*distro.Closure, error) {
	out := &distro.Closure{}
	if on == nil {
		wants = bootstrapped
	} else {
		out.Packages = slices.Clone(on.Packages)
	}
	var missing []distro.Want
	for _, w := range wants {
		if w.Forbidden {
			continue
		}
		if w.Local != nil {
			out.Packages = append(out.Packages, *w.Local)
			continue
		}
		if strings.HasPrefix(w.Name, Missing) {
			missing = append(missing, w)
			continue
		}
		if !slices.Contains(out.Names(), w.Name) {
			out.Packages = append(out.Packages, a.made(w.Name))
		}
	}
	if len(missing) > 0 {
		index, err := a.Index(context.Background())
		if err != nil {
			return nil, err
		}
		return nil, &distro.UnknownError{Sources: a.sources, Missing: missing, Index: index}
	}
	slices.SortFunc(out.Packages, func(x, y distro.Archived) int { return strings.Compare(x.Name, y.Name) })
	return out, nil
}

// Holding implements [distro.Archive]: there is one version of each package.
func (a archive) Holding([]distro.Archived) distro.Archive { return a }

// made is a package.
func (a archive) made(name string) distro.Archived {
	sum, version := sha256.Sum256([]byte(name)), "1"
	if v := versions[name]; v != "" && a.sources[0].Suite != OldSuite {
		version = v
	}
	p := distro.Archived{Package: distro.Package{Name: name, Version: version, Arch: a.arch}, Source: a.sources[0].Name, Suite: a.sources[0].Suite, Filename: "pool/" + name + ".deb", Size: 1000, SHA256: hex.EncodeToString(sum[:])}
	p.Stanza = fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: %s\nFilename: %s\nSize: %d\nSHA256: %s\n", p.Name, p.Version, p.Arch, p.Filename, p.Size, p.SHA256)
	return p
}

func (a archive) Index(context.Context) (distro.Index, error) {
	var text strings.Builder
	for _, w := range bootstrapped {
		text.WriteString(a.made(w.Name).Stanza + "\n")
	}
	return debian.ParseIndex([]byte(text.String()))
}

func (a archive) Offers(_ context.Context, name string) ([]distro.Archived, error) {
	if strings.HasPrefix(name, Missing) {
		return nil, nil
	}
	return []distro.Archived{a.made(name)}, nil
}

func (a archive) Releases() []distro.Release {
	var all []distro.Release
	for _, s := range a.sources {
		all = append(all, distro.Release{Source: s, SHA256: strings.Repeat("0", 64)})
	}
	return all
}
