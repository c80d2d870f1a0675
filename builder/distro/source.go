package distro

import "strings"

// MainSource is the name of a distribution's own source.
const MainSource = "main"

// Source is one suite of a package archive.
type Source struct {
	// Name is what a flavour or feature calls it; [MainSource] for that of the
	// distribution. All suites of one source have the same name.
	Name string
	// URL is where the archive is, and Others are places with the same content, for
	// when it does not answer; no trailing slashes.
	URL    string
	Others []string
	// Suite is the directory below dists/, or, if it ends in "/", the directory
	// below the URL with an archive that has no components.
	Suite      string
	Components []string
	// Architectures are those that the archive is asked for; nil for all of a
	// system's.
	Architectures []string
	// Keyring is the absolute path of the keys that sign the release file.
	Keyring string
	// Packages are patterns of names, as apt_preferences(5) has them: if there are
	// any, packages of these names come from this source, and no others.
	Packages []string
	// Priority is that of apt_preferences(5) for the source's packages; 0 leaves it
	// to what the release file says.
	Priority int
}

// Flat says that the archive is a directory without components.
func (s Source) Flat() bool { return strings.HasSuffix(s.Suite, "/") }

// URLs are all places where the archive is, the one to prefer first.
func (s Source) URLs() []string { return append([]string{s.URL}, s.Others...) }

// String names the archive, as "URL SUITE".
func (s Source) String() string { return s.URL + " " + s.Suite }
