package distro

// Described is a package with what the tree's own list has about it.
type Described struct {
	Package
	// Source is the name of the source package that it was built from, and
	// SourceVersion that one's version.
	Source, SourceVersion string
	// Maintainer is "NAME <ADDRESS>", Homepage a URL, Summary half a line. They are "" if the
	// list does not have them.
	Maintainer, Homepage, Summary string
	// Depends are the packages of the tree that it needs, sorted, without itself.
	Depends []Package
}

// Licence is what a package is distributed under.
type Licence struct {
	// Expression is an SPDX licence expression, "" if the licence file is not machine-readable.
	Expression string
	// Texts are the texts of those licences in it that SPDX does not know, by their
	// identifiers, which begin with LicenseRef-.
	Texts map[string]string
}

// Issue is a security fault of a source package, as a family's tracker has it.
type Issue struct {
	// ID is the fault's name, such as CVE-2026-1234, and Source the source package.
	ID, Source string
	// Fixed is the first version without it, "" if the release has no such version yet.
	Fixed string
	// Urgency is the tracker's judgement: "low", "medium", "high", "unimportant" or
	// "not yet assigned".
	Urgency string
	// Unaffected is set if the release never had the fault, and Undetermined if that is not
	// known yet.
	Unaffected, Undetermined bool
	// Remark is why no update is planned, "" if that was not decided.
	Remark string
	// Description is one line or a few sentences.
	Description string
}
