package distro

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/download"
)

// askedVersion is the version of the packages that [Asked] has, unless another one is asked
// for. It is newer than the versions that tools need.
const askedVersion = "9999"

// Asked is an access that does not ask archives. Every package that is wanted exists, and does not
// depend on other packages. A plan of such packages can be made without a network. Two such plans
// differ where packages were asked for in another way, or from other sources.
type Asked struct{}

// String implements [Access].
func (Asked) String() string { return "" }

// Conf implements [Access].
func (Asked) Conf() string { return "" }

// Proxies implements [Access].
func (Asked) Proxies() [][2]string { return nil }

// Secrets implements [Access].
func (Asked) Secrets() []string { return nil }

// Client implements [Access].
func (Asked) Client(download.Timing, func(string)) *download.Client { return nil }

// Open implements [Access].
func (Asked) Open(_ context.Context, o ArchiveOptions) (Archive, error) {
	a := askedArchive{sources: o.Sources, arch: o.Arch}
	var own, others []Source
	for _, s := range o.Sources {
		// The paths are of this machine, and the keys in the files do not choose packages.
		s.Keyring, s.CA = "", ""
		if s.Name == MainSource || slices.Contains(OwnSources, s.Name) {
			own = append(own, s)
		} else {
			others = append(others, s)
		}
	}
	a.own = digestOf(own, o.Arch, o.MoreArchs)
	if len(others) > 0 {
		a.others = digestOf(others)
	}
	return a, nil
}

// Only implements [Access]: an asked archive always has all packages.
func (a Asked) Only(o ArchiveOptions, _ []Archived) (Archive, error) {
	return a.Open(context.Background(), o)
}

// digestOf returns the hash of values.
func digestOf(values ...any) string {
	text, _ := json.Marshal(values) // text, numbers and lists of them
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// askedArchive is an archive of [Asked].
type askedArchive struct {
	sources []Source
	arch    string
	// own is the digest of the distribution's own sources. others is the digest of all other
	// sources, or "" without any.
	own, others string
}

// Resolve implements [Archive]. One package replaces those that every tree has. A package that
// must not be installed becomes a package as well, because it can change the choice of the others.
// The sources that are not the distribution's own become one too, as any of their packages may be
// chosen.
func (a askedArchive) Resolve(_ context.Context, on *Closure, wants []Want) (*Closure, error) {
	out := &Closure{}
	if on == nil {
		wants = append([]Want{{Name: "base-files"}}, wants...)
	} else {
		out.Packages = slices.Clone(on.Packages)
		if a.others != "" {
			wants = append([]Want{{Name: "other-sources", Suite: a.others}}, wants...)
		}
	}
	have := map[string]bool{}
	for _, p := range out.Packages {
		have[p.Name+":"+p.Arch] = true
	}
	for _, w := range wants {
		p := a.made(w)
		if w.Local != nil {
			p = *w.Local
		}
		if at := p.Name + ":" + p.Arch; !have[at] {
			have[at] = true
			out.Packages = append(out.Packages, p)
		}
	}
	slices.SortFunc(out.Packages, func(x, y Archived) int {
		return cmp.Or(strings.Compare(x.Name, y.Name), strings.Compare(x.Arch, y.Arch))
	})
	return out, nil
}

// made returns the package for a want.
func (a askedArchive) made(w Want) Archived {
	name, arch, _ := strings.Cut(w.Name, ":")
	if w.Forbidden {
		name = "without-" + name
	}
	p := Archived{Package: Package{Name: name, Version: cmp.Or(w.Version, askedVersion), Arch: cmp.Or(arch, a.arch)}, SHA256: digestOf(w, a.own), Filename: name + ".deb"}
	if len(a.sources) > 0 {
		p.Source, p.Suite = a.sources[0].Name, a.sources[0].Suite
	}
	p.Stanza = fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: %s\nFilename: %s\nSize: 0\nSHA256: %s\n", p.Name, p.Version, p.Arch, p.Filename, p.SHA256)
	return p
}

// Index implements [Archive].
func (askedArchive) Index(context.Context) (Index, error) { return askedIndex{}, nil }

// Offers implements [Archive].
func (askedArchive) Offers(context.Context, string) ([]Archived, error) { return nil, nil }

// Holding implements [Archive]: each package has one version.
func (a askedArchive) Holding([]Archived) Archive { return a }

// Releases implements [Archive]. The files do not have a date or a hash.
func (a askedArchive) Releases() []Release {
	var all []Release
	for _, s := range a.sources {
		all = append(all, Release{Source: s})
	}
	return all
}

// askedIndex has every package.
type askedIndex struct{}

// Has implements [Index].
func (askedIndex) Has(string) bool { return true }

// Names implements [Index].
func (askedIndex) Names() []string { return nil }

// Versions implements [Index].
func (askedIndex) Versions(string) []string { return nil }

// Providers implements [Index].
func (askedIndex) Providers(string) []string { return nil }

// Successor implements [Index].
func (askedIndex) Successor(string) Successor { return Successor{} }
