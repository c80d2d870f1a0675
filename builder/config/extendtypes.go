package config

import (
	"path"
	"slices"
	"time"
)

// Extend describes the images of packages that a server makes for machines that ask for them.
type Extend struct {
	// Packages are the names of packages that machines may ask for, and patterns of names (path.Match).
	Packages []string
	// Sources are the names of the sources that packages of an image may come from; nil for all sources of the flavour.
	Sources []string
	// Jobs is the number of images that are made at the same time, and Queue the number of further requests that can wait.
	Jobs, Queue int
	// MostPackages is the maximum number of packages of a request.
	MostPackages int
	// Timeout is the time that an image may take.
	Timeout time.Duration
}

// Allows reports whether a package may be asked for.
func (e *Extend) Allows(name string) bool {
	return slices.ContainsFunc(e.Packages, func(pattern string) bool {
		ok, err := path.Match(pattern, name)
		return ok && err == nil
	})
}
