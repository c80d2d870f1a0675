package config

import "github.com/hashicorp/hcl/v2"

// Generated is something that a feature puts into a system without having it in its
// file.include.
type Generated struct {
	// Path is where it is in the system: absolute and clean. It is "/" only with a
	// directory as Source.
	Path string
	// Content is what the file holds, unless Source or Target is set.
	Content []byte
	// Source is a file or directory of the configuration tree, slash-separated, that is
	// copied to Path. Nothing on the way to it is a link. A directory is copied with all
	// that is in it, into what is at Path already; links in it stay links.
	Source string
	// Executable reports that the mode of a file with Content is 0755.
	Executable bool
	// Target makes it a symbolic link.
	Target string
	// Mode is an octal number, "" for 0644 or, for a Source, 0755 if it is executable.
	Mode string
	// Owner and Group are names or numbers, "" for root. With a directory, they are
	// those of all that is copied.
	Owner, Group string
	// Secret reports that the file may be in the system although it is a secret.
	Secret bool
	// Range is where it is written.
	Range hcl.Range
}

// templatesDir is the directory of a feature's templates.
const templatesDir = "file.template"

// Template is a file, link or empty directory of a feature's file.template.
type Template struct {
	// Path is where it will be in the system, absolute and clean.
	Path string
	// Name is where the template is in the tree, for messages.
	Name string
	// Source is the text of a file, which becomes executable if Executable is set.
	Source     []byte
	Executable bool
	// Target is set for a link, and Dir for an empty directory: where it is in the
	// tree, through links.
	Target, Dir string
}
