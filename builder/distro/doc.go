// Package distro is what the builder knows of packages, whatever family of
// distributions they are from: what is wanted, what an archive has, and exact
// packages.
//
// The one idea: the rest of the builder only sees these values; how a family's
// programs work is known to the package of that family (distro/debian) alone.
package distro
