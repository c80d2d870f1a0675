package distro

import (
	"cmp"
	"strings"
	"time"
)

// Want is a package that somebody asked for.
type Want struct {
	// Name is the package's name, with ":ARCH" after it if it is wanted for
	// another architecture than the flavour's.
	Name string `json:"name"`
	// Version is the only version that will do, or "" for any.
	Version string `json:"version,omitempty"`
	// Suite is the suite, or the name of the source, that the package is to be from,
	// or "" for any.
	Suite string `json:"suite,omitempty"`
	// Recommends reports that what the package recommends is wanted too.
	Recommends bool `json:"recommends,omitempty"`
	// Forbidden says the opposite: the package must not be there.
	Forbidden bool `json:"forbidden,omitempty"`
	// Local is the very package, if it is not one of an archive.
	Local *Archived `json:"-"`
}

// String is the package as apt-get(8) takes it.
func (w Want) String() string {
	switch {
	case w.Version != "":
		return w.Name + "=" + w.Version
	case w.Suite != "":
		return w.Name + "/" + w.Suite
	}
	return w.Name
}

// Package is a package in one version, for one architecture.
type Package struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Arch    string `json:"arch"`
}

// String returns "NAME VERSION ARCH".
func (p Package) String() string { return p.Name + " " + p.Version + " " + p.Arch }

// Compare orders packages by name, then by version as text, then by architecture.
func (p Package) Compare(q Package) int {
	return cmp.Or(strings.Compare(p.Name, q.Name), strings.Compare(p.Version, q.Version), strings.Compare(p.Arch, q.Arch))
}

// Archived is a package as the index of an archive describes it.
type Archived struct {
	Package
	// Filename is the path of the file below the mirror, Size its length in bytes,
	// SHA256 its hash in hexadecimal.
	Filename string `json:"filename"`
	Size     int64  `json:"size"`
	SHA256   string `json:"sha256"`
	// Stanza is the package's paragraph of the index, ending in a newline.
	Stanza string `json:"stanza"`
	// Source is the name of the source that the package was chosen from, and Suite
	// its suite there; both are "" for packages of no source.
	Source string `json:"source,omitempty"`
	Suite  string `json:"suite,omitempty"`
}

// SnapshotTemplate is a URL template, and the place where it is written.
type SnapshotTemplate struct {
	URL   string `json:"url"`
	Place string `json:"place"`
}

// FetchHints is what fetching needs to know of this host. It cannot change the
// result, as every file is checked against its hash.
type FetchHints struct {
	// Mirrors are, by the name of a source, the URLs at which its packages are, the
	// one to prefer first; no trailing slashes.
	Mirrors map[string][]string `json:"mirrors"`
	// From is the name of the source that a package is from, by the package's
	// SHA-256; packages that are not listed are from [MainSource].
	From map[string]string `json:"from,omitempty"`
	// Pools is a directory that has packages as [Pools] calls them, which are taken from there; "" for none.
	Pools string `json:"pools,omitempty"`
	// Cache is the content-addressed directory of downloaded packages, on the same
	// file system as the step's output.
	Cache   string      `json:"cache"`
	Proxies [][2]string `json:"proxies,omitempty"`
	// Places are where sources are written, by name, for messages.
	Places map[string]string `json:"places,omitempty"`
	// Snapshots are URL templates, and where they are written; see [Snapshot]. They are
	// asked for what no mirror has.
	Snapshots []SnapshotTemplate `json:"snapshots,omitempty"`
	// Pins are the lines of a lock, as FILE:LINE, and Dates when packages were chosen, both by
	// the package's SHA-256; nil without a lock.
	Pins  map[string]string    `json:"pins,omitempty"`
	Dates map[string]time.Time `json:"dates,omitempty"`
	// CAs are the paths of files with certificates, by the name of the source whose
	// servers are believed by them.
	CAs map[string]string `json:"cas,omitempty"`
	// Secrets are the paths of files with names and passwords for servers. What is in
	// them is not a part of a step.
	Secrets []string `json:"secrets,omitempty"`
	// Local is a directory with the packages that are not of an archive, each called by
	// its SHA-256.
	Local string `json:"-"`
}
