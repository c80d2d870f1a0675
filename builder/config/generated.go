package config

import "github.com/hashicorp/hcl/v2"

// Generated is something that a feature puts into a system without having it in its
// file.include.
type Generated struct {
	// Path is where it is in the system: absolute and clean. It is "/" only with a
	// directory as Source.
	Path string
	// Content is what the file holds, unless Source is set.
	Content []byte
	// Source is a file or directory of the configuration tree, slash-separated, that is
	// copied to Path. Nothing on the way to it is a link. A directory is copied with all
	// that is in it, into what is at Path already; links in it stay links.
	Source string
	// Mode is an octal number, "" for 0644 or, for a Source, 0755 if it is executable.
	Mode string
	// Owner and Group are names or numbers, "" for root. With a directory, they are
	// those of all that is copied.
	Owner, Group string
	// Range is where it is written.
	Range hcl.Range
}
