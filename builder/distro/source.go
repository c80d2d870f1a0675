package distro

import (
	"slices"
	"strings"
	"time"
)

// MainSource is the name of a distribution's own source.
const MainSource = "main"

// OwnSources are the names of the sources that a distribution adds to that one.
var OwnSources = []string{"security", "updates", "backports"}

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
	// CA is the absolute path of a file with the certificates that servers are
	// believed by for https; "" means those of this machine.
	CA string
	// Packages are patterns of names, as apt_preferences(5) has them: if there are
	// any, packages of these names come from this source, and no others.
	Packages []string
	// Priority is that of apt_preferences(5) for the source's packages; 0 leaves it
	// to what the release file says.
	Priority int
}

// Release is the signed file of a source that says what its indices are.
type Release struct {
	Source Source
	// SHA256 is the hash of the file, in hexadecimal.
	SHA256 string
	// Date is the date in it, zero if it has none.
	Date time.Time
}

// Dir is where the release file is, below the URL: "" or a path that ends in "/".
func (s Source) Dir() string {
	if !s.Flat() {
		return "dists/" + s.Suite + "/"
	}
	return strings.TrimPrefix(s.Suite, "./")
}

// Have begins a sentence on what sources have: "URL SUITE has".
func Have(sources []Source) string {
	if len(sources) == 1 {
		return sources[0].String() + " has"
	}
	var names []string
	for _, s := range sources {
		if name := s.Name + " (" + s.Suite + ")"; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return "The sources " + strings.Join(names, ", ") + " have"
}

// Flat reports that the archive is a directory without components.
func (s Source) Flat() bool { return strings.HasSuffix(s.Suite, "/") }

// URLs are all places where the archive is, the one to prefer first.
func (s Source) URLs() []string { return append([]string{s.URL}, s.Others...) }

// String names the archive, as "URL SUITE".
func (s Source) String() string { return s.URL + " " + s.Suite }

// Is reports whether a name, as in NAME/SUITE, means the source: its suite or its own
// name.
func (s Source) Is(name string) bool { return name == s.Suite || name == s.Name }
