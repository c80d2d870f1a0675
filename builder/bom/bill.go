package bom

import (
	"encoding/json"
	"time"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/format"
)

// Bill is a bill of materials: the packages and files of a system or an extension.
type Bill struct {
	// Name and Version are those of the whole. Description is one line.
	Name, Version, Description string
	// Extension is set for a system extension.
	Extension bool
	// Epoch is its date, in seconds since 1970.
	Epoch int64
	// Properties are further facts of the whole.
	Properties []Property
	Packages   []Package
	Files      []File
}

// Property is a named fact.
type Property struct{ Name, Value string }

// Package is a package of the distribution or of somebody else.
type Package struct {
	distro.Described
	// PURL is its package URL. No two packages of a bill have the same one.
	PURL string
	// SHA256 is that of the package's file, "" if it is not known.
	SHA256 string
	// Feature is the one that brings the package's file, "" for the others.
	Feature string
	Licence distro.Licence
}

// File is a file that a feature brings.
type File struct {
	// Path is absolute, as on a machine.
	Path string
	// SHA1 and SHA256 are those of its content, in hexadecimal. SPDX wants both.
	SHA1, SHA256 string
	// Feature is the one that brings it, By how: "file.include", "exec.build", "generated".
	Feature, By string
}

// Names of properties.
const (
	featureProperty = "treewright:feature"
	byProperty      = "treewright:by"
)

// time returns the epoch as both formats write it.
func (b *Bill) time() string { return time.Unix(b.Epoch, 0).UTC().Format(time.RFC3339) }

// uuid returns an identifier that is derived from the content.
func (b *Bill) uuid() (string, error) {
	raw, err := json.Marshal(b)
	return format.UUID("treewright", "bill of materials", string(raw)), err
}
