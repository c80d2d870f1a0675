package distro

// Database describes the package database in the trees of a family. Steps and checks
// use it, so that they do not depend on a family.
type Database interface {
	// Dir is the directory of the database in a tree, below var/. CommittedDir is its
	// directory in a commit, whose /var belongs to the machine. Both are
	// relative to the tree.
	Dir() string
	CommittedDir() string
	// StateFile is the file in that directory that lists the packages of the tree,
	// and ReadState reads its content.
	StateFile() string
	ReadState(text string) State
	// Archived reads the content of the state file: the packages that are installed, as an archive describes packages, for
	// [Archive.Resolve]. They do not have files that can be downloaded.
	Archived(text string) ([]Archived, error)
	// SumFiles are the files in that directory that may have the sums of a package's
	// files.
	SumFiles(p Package) []string
	// Shipped reads the sums of all packages' files from the directory dir, which is
	// an absolute path here and below. It returns a function that reports whether a
	// package has a file of that content.
	Shipped(dir string) (is func(content []byte) bool, err error)
	// FileLists are where the lists of packages' files are, a directory in that directory:
	// of returns the package by the name of a file there, "" for a file that is not a list.
	// A list has an absolute path on each line.
	FileLists() (dir string, of func(name string) string)
	// Files are the absolute paths of a package's files, as the directory dir has them; nil if it does not have
	// that package.
	Files(dir string, p Package) []string
	// Owners are the packages that have a file, given by its absolute path on a
	// machine. Makers are the packages with an installation script for which
	// test is true.
	Owners(dir, file string) []string
	Makers(dir string, test func(script string) bool) []string
	// Describe reads the content of the state file: the packages that are installed, in
	// the order of [State], each with its description in the file.
	Describe(text string) []Described
	// LicenceFile is the path, relative to a tree, of the file with a package's licences,
	// and ReadLicence reads its content; the result is empty if programs cannot
	// read it.
	LicenceFile(p Package) string
	ReadLicence(text string) Licence
	// PURL is the package URL (purl) of a package. The vendor is the distribution of the
	// package, and release the code name of the distribution's release, "" if it is not known.
	PURL(d Described, vendor, release string) string
	// ReadPURL reads such a URL: the package with its source package. It returns false for
	// a URL of another type.
	ReadPURL(purl string) (d Described, vendor, release string, ok bool)
}

// State has the packages of a tree by its own list.
type State struct {
	// Installed are the packages that are completely installed, sorted.
	Installed []Package
	// Unfinished are the packages whose installation or removal did not end, "NAME
	// VERSION ARCH: STATE" each, sorted.
	Unfinished []string
}
