package publish

import (
	"path/filepath"
)

// Names are the names under which users find what is published.
type Names interface {
	// Path is where an artifact, as the manifest calls it, is for users.
	Path(o Output, artifact string) string
	// Publish gives what is published in the public directory further names.
	Publish(p *Publication) error
}

// OwnDirectory are the names of what is published in a directory of its own.
type OwnDirectory struct{}

// Path implements [Names].
func (OwnDirectory) Path(o Output, artifact string) string { return filepath.Join(o.Public, artifact) }

// Publish implements [Names].
func (OwnDirectory) Publish(*Publication) error { return nil }
