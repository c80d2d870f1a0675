package config

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// MainSource is the name of a distribution's own archive among its sources.
const MainSource = "main"

// Distribution names the packages' origin.
type Distribution struct {
	Family     string // "debian"
	Suite      string // "testing", "trixie", ...
	Arch       string // Debian's name: "amd64", "arm64"
	Mirror     string // URL, no trailing slash
	Components []string
	// Keyring is the path of the OpenPGP keyring that the release file must be
	// signed by, absolute or relative to the project; "" means the family's own.
	Keyring string
	// SuiteRange is where Suite is written.
	SuiteRange hcl.Range
	// CA is the path of a file with certificates, of the authority that the mirror is
	// believed by; "" means those of the machine that builds.
	CA string
	// Sources are all sources of packages: the archive above first, then those that
	// are taken with it, then the flavour's own. Of a Distribution that was not read
	// from a flavour it is nil; see [Distribution.All].
	Sources []Source
	// Unsecured explains why there are no security updates although the suite has some;
	// nil if there are.
	Unsecured *Unsecured
	// Architectures are others than Arch whose packages can be installed too.
	Architectures []string
	// Range and Places are those of the [Source] that the fields above describe.
	Range  hcl.Range              `json:"-"`
	Places map[string][]hcl.Range `json:"-"`
}

// Unsecured explains why a distribution is without security updates.
type Unsecured struct {
	// Reason is why they are not taken by default, "" if a flavour says no.
	Reason string
	Range  hcl.Range
}

// Source is a package archive that packages are taken from.
type Source struct {
	Name string
	// URLs are places with the same content, without trailing slashes; Suites are
	// directories below dists/, or, with "/" at the end, below the URL.
	URLs, Suites, Components []string
	// Architectures are those that the archive is asked for; nil for all of a
	// flavour's.
	Architectures []string
	// Keyring and CA are as those of [Distribution].
	Keyring, CA string
	// Packages are patterns of names: only packages of these names come from the
	// source, and they come from nowhere else. None means all packages.
	Packages []string
	// Priority is that of apt_preferences(5); 0 leaves it to the release file.
	Priority int
	// OnMachine reports that the machine's own list of sources has it.
	OnMachine bool
	// Feature is the name of the feature that brings it, "" for a flavour, and Root the
	// tree that Keyring is in, as [Feature] has it.
	Feature string
	Root    *Root
	// Range is where the source is declared; Places are where each value of a field
	// is written, by the field's name.
	Range  hcl.Range
	Places map[string][]hcl.Range
}

// At is where the value number i of a field is written, or, if it is not, where
// the source is declared.
func (s *Source) At(field string, i int) hcl.Range {
	if places := s.Places[field]; i < len(places) {
		return places[i]
	}
	return s.Range
}

// MachineURL is the place that a machine reads the source from: the first one that is
// not a directory of the machine that builds.
func (s *Source) MachineURL() string {
	for _, u := range s.URLs {
		if !isDirectory(u) {
			return u
		}
	}
	return s.URLs[0]
}

func isDirectory(mirror string) bool { return strings.HasPrefix(mirror, "file:") }

// All are the sources of a distribution, its own archive first.
func (d *Distribution) All() []Source {
	if d.Sources != nil {
		return d.Sources
	}
	return []Source{{
		Name: MainSource, URLs: []string{d.Mirror}, Suites: []string{d.Suite}, Components: d.Components, Keyring: d.Keyring, CA: d.CA, OnMachine: true,
		Range: d.Range, Places: d.Places,
	}}
}
