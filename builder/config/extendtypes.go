package config

import (
	"path"
	"slices"
	"time"
)

// Extend is what a server makes of packages for machines that ask for them.
type Extend struct {
	// Packages are the names of packages that may be asked for, and patterns of names (path.Match).
	Packages []string
	// Sources are the names of the sources that packages of an image may come from; nil for all sources of the flavour.
	Sources []string
	// Jobs is how many images are made at the same time, and Queue how many more requests wait.
	Jobs, Queue int
	// MostPackages is how many packages can be asked for at once.
	MostPackages int
	// Timeout is how long it may take to make an image.
	Timeout time.Duration
}

// Allows reports whether a package may be asked for.
func (e *Extend) Allows(name string) bool {
	return slices.ContainsFunc(e.Packages, func(pattern string) bool {
		ok, err := path.Match(pattern, name)
		return ok && err == nil
	})
}
