package distro

// Database is how the trees of a family keep account of their own packages. What
// steps and checks have to know of that is here, so that they know no family.
type Database interface {
	// Dir is the directory that a tree has it in, below var/. CommittedDir is where
	// it is moved to in a commit, whose /var belongs to the machine. Both are
	// relative to the tree.
	Dir() string
	CommittedDir() string
	// StateFile is the file in that directory that says which packages the tree has,
	// and ReadState reads its content.
	StateFile() string
	ReadState(text string) State
	// Archived reads the content of the state file: the packages that are installed, as an archive describes packages, for
	// [Archive.Resolve]. They have no files that can be downloaded.
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
	// Files are the absolute paths of a package's files, as the directory dir has them; nil if it has none of
	// that package.
	Files(dir string, p Package) []string
	// Owners are the packages that have a file, given by its absolute path on a
	// machine. Makers are those with a script, run when they are installed, of which
	// test is true.
	Owners(dir, file string) []string
	Makers(dir string, test func(script string) bool) []string
	// Describe reads the content of the state file: the packages that are installed, in
	// the order of [State], each with what the file has about it.
	Describe(text string) []Described
	// LicenceFile is the path, relative to a tree, of the file with a package's licences,
	// and ReadLicence reads its content; the result is empty if it is not made for
	// programs to read.
	LicenceFile(p Package) string
	ReadLicence(text string) Licence
	// PURL is the package URL (purl) of a package. The vendor is the distribution that it
	// is from, and release the code name of that one's release, "" if it is not known.
	PURL(d Described, vendor, release string) string
	// ReadPURL reads such a URL: the package with its source package. It returns false for
	// those of another type.
	ReadPURL(purl string) (d Described, vendor, release string, ok bool)
}

// State is what a tree's own list says of its packages.
type State struct {
	// Installed are those that are there as they should be, sorted.
	Installed []Package
	// Unfinished are those whose installation or removal was not ended, "NAME
	// VERSION ARCH: STATE" each, sorted.
	Unfinished []string
}
