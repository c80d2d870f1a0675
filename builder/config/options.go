package config

import (
	"io/fs"

	"github.com/hashicorp/hcl/v2"
)

// Options are what a project is read with, beside its files.
type Options struct {
	// Vars are values for variables, by name (--var NAME=VALUE).
	Vars map[string]string
	// Env is the environment; TREEWRIGHT_VAR_NAME sets the variable NAME unless
	// Vars does.
	Env map[string]string
	// Keyring explains why the keyring at a path that a flavour names cannot be read;
	// nil if it can. Without the function that is not checked.
	Keyring func(path string) error
	// Authority is the same for a file with certificates.
	Authority func(path string) error
	// Certificate returns why the content of a file is not a certificate that can be used, as
	// the end of a sentence about the file; nil if it can.
	Certificate func(text []byte) error
	// Places are more of [Places]: where families of distributions keep their
	// package databases.
	Places []Place
	// Choices are, by stage and parameter, what the stage can make of what such a
	// parameter lists. What is not here may be anything.
	Choices map[string]map[string][]string
	// Lacks is [Project.Lacks].
	Lacks func(family, stage, suite string) string
	// Kernel is [Project.Kernel].
	Kernel func(family, name string) bool
	// Brings is [Project.Brings].
	Brings func(family, program string) []string
	// Others takes in files that mean nothing to flavours.
	Others Others
	// Uses opens the trees that the tree uses.
	Uses Uses
}

// Others are files in a feature's directory that only builds of another kind have
// a use for.
type Others struct {
	// Names are those that a mistyped name may have been meant as.
	Names []string
	// Read takes in the file name, called base in the feature's directory, and says
	// whether it is one of them. Nil: none is.
	Read func(fsys fs.FS, f *Feature, base, name string) (bool, hcl.Diagnostics)
}

// reading is what a loader does with files that kinds of trees treat differently.
type reading struct {
	packages func(name string, src []byte) []Line
	others   Others
	// stat and files judge the lines of file.include.stat, and what is below
	// file.include.
	stat  func(lines []Line)
	files func(f *Feature, name string)
	// packaging reports that debconf and file.debs have a meaning.
	packaging bool
	// templates takes in file.template.
	templates func(f *Feature, name string, e fs.DirEntry)
}
