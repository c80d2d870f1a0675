package distro

import (
	"fmt"
	"strings"
)

// Index has all packages of a package archive.
type Index interface {
	// Has reports whether the name is a package or one that a package provides.
	Has(name string) bool
	// Names returns the names of all packages, in no order.
	Names() []string
	// Versions returns the versions of a package.
	Versions(name string) []string
	// Providers returns, sorted, the packages that provide a name which is not a
	// package itself.
	Providers(name string) []string
	// Successor describes what took the place of a package that the archive does not
	// have.
	Successor(name string) Successor
}

// Successor is what an archive has in place of a package that left it.
type Successor struct {
	// Names are the packages, the likeliest first; none if nothing is known.
	Names []string
	// Replaces reports that the archive itself names the package as replaced by
	// these. Otherwise they bear the same name with another number.
	Replaces bool
}

// UnknownError lists wanted packages that the archive does not have.
type UnknownError struct {
	Sources []Source
	Missing []Want
	// Index is all that the archive has, for suggestions.
	Index Index
	// Versions are, per name, the versions that the archive has instead.
	Versions map[string][]string
	// Beside are, per name, what the package is in that is not asked for: another
	// component, or another suite, of one of the sources.
	Beside map[string]Source
	// LeftOut says, per want as NAME or NAME/SUITE, why a package that a source has is
	// not taken from there.
	LeftOut map[string]string
}

func (e *UnknownError) Error() string {
	names := make([]string, len(e.Missing))
	for i, w := range e.Missing {
		names[i] = w.String()
	}
	return fmt.Sprintf("%s no package %s", Have(e.Sources), strings.Join(names, ", "))
}

// UnsolvableError explains why packages cannot be installed together, in the words of
// the program that resolves them.
type UnsolvableError struct{ Program, Reason string }

func (e *UnsolvableError) Error() string {
	return e.Program + " finds no way to install these packages together:\n" + e.Reason
}

// LocalError explains why a package that is not of an archive cannot be used.
type LocalError struct {
	Package Archived
	Reason  string
}

func (e *LocalError) Error() string { return e.Package.String() + ": " + e.Reason }

// ForbiddenError is a forbidden package that is there before anything is installed.
type ForbiddenError struct{ Want Want }

func (e *ForbiddenError) Error() string {
	return e.Want.Name + " is forbidden, but the tree has it before any package is installed"
}
