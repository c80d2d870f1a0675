package config

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/treewright/treewright/builder/account"
)

// Project is everything that one configuration tree says: all flavours, all
// features, and the sources they were read from, for messages.
type Project struct {
	// Flavours are sorted by name; matrix and extends are already worked out,
	// so each is a system that can be built.
	Flavours []*Flavour
	// Unbuilt says of the names of flavours that cannot be built what they are, as the
	// end of a sentence: those that are abstract, and those of a matrix as a whole.
	Unbuilt map[string]string `json:"-"`
	// Beside are files of flavours in the wrong place, which are not read.
	Beside []string `json:"-"`
	// Features are keyed by directory name.
	Features map[string]*Feature
	// Hidden are the features in whose place others of the same name are used.
	Hidden []Hidden
	// Snapshots are URL templates of archives that keep packages, see [distro.Snapshot].
	Snapshots []Line
	// RemoteCache is the cache of results that is shared with other machines, nil for none.
	RemoteCache *RemoteCache
	// RemoteExec is the server for remote execution; nil if the tree does not name a server.
	RemoteExec *RemoteExec
	// Extend is which images of packages a server makes; nil for none.
	Extend *Extend
	// Accounts are the lines of the tree's file accounts.
	Accounts []Account
	// Files holds every file that was read, keyed by its path in the tree
	// (slash-separated), as hcl.NewDiagnosticTextWriter wants it.
	Files map[string]*hcl.File
	// Lacks describes what a suite of a family of distributions lacks for a stage, as far
	// as that is known by its name; "" if nothing is. It may be nil.
	Lacks func(family, stage, suite string) string `json:"-"`
	// Kernel reports whether a package of a family of distributions brings a kernel, by its
	// name. It may be nil.
	Kernel func(family, name string) bool `json:"-"`
	// Brings returns patterns of packages of a family of distributions (path.Match) that
	// bring an interpreter or need it, first the name of the one to ask for; nil if each
	// tree has it, or nothing is known of it. It may be nil.
	Brings func(family, program string) []string `json:"-"`
}

// SortedFeatures are the features by name.
func (p *Project) SortedFeatures() []*Feature {
	features := make([]*Feature, 0, len(p.Features))
	for _, name := range slices.Sorted(maps.Keys(p.Features)) {
		features = append(features, p.Features[name])
	}
	return features
}

// Hidden is a feature that is not used.
type Hidden struct {
	Name string
	Dir  string // as in [Feature]
}

// Flavour is one named system to build.
type Flavour struct {
	Name         string
	Description  string
	Distribution Distribution
	// Features are the features asked for, in the order written.
	Features []FeatureRef
	// Settings are the parameters set for features, in the order written.
	Settings []Setting
	// Content is what the flavour brings itself.
	Content Content `json:",omitzero"`
	// Sign is nil for a flavour without the block.
	Sign *Sign `json:",omitempty"`
	// Verity is how its extensions are signed.
	Verity Verity `json:",omitzero"`
	// Origins are where fields come from that are written: description, and those of the
	// distribution, by name.
	Origins map[string]Origin `json:"-"`
	// Range is where the flavour is declared (its name).
	Range hcl.Range
}

// Sign is who signs what is published of a flavour, and whose signatures its machines
// accept.
type Sign struct {
	// PublicKeys are those that machines have, and that signatures must be of; there are
	// none if only Key is written.
	PublicKeys []PublicKey
	// Key is what gpg calls the key that signs, a fingerprint or user ID; Home is the
	// directory that gpg has it in, absolute or relative to the tree, or "". Command signs in place of gpg. Both Key and
	// Command may be missing: then only who gives a key with an option signs.
	Key, Home string
	Command   []string
	// At is where the signer is written, or the block if there is none.
	At hcl.Range
}

// PublicKey is a file with OpenPGP keys.
type PublicKey struct {
	// File is its path in the tree, slash-separated.
	File    string
	Content []byte `json:"-"`
	Range   hcl.Range
}

// Content is what a flavour brings itself, besides its features.
type Content struct {
	// Packages are as the lines of pkg.include.
	Packages []Line
	// ExcludePackages are as the lines of pkg.exclude, ExcludeFiles are patterns as in
	// file.exclude, one in each.
	ExcludePackages, ExcludeFiles []Line
	// Files are sorted by path.
	Files      []Generated
	KernelArgs []Line
	// Units, Users, Groups and Sysctl are sorted by name.
	Units  []Unit
	Users  []User
	Groups []Group
	// Timezone, Locale and Keymap are empty if they are not set.
	Timezone, Locale, Keymap Line
	Sysctl                   []Sysctl
}

// Unit is a unit of systemd, with its whole name, and what is to be done with it.
type Unit struct {
	Name string
	// Verb is "enable", "disable" or "mask".
	Verb  string
	Range hcl.Range
}

// User is an account. Home and Shell are absolute paths; Home is empty if it has none.
type User struct {
	Name string
	// UID is 0 if the number does not matter.
	UID                uint32
	Gecos, Shell, Home string
	// Groups are those besides the user's own.
	Groups []Line
	Keys   []string
	// Sudo reports that the user may become root without a password, System that the
	// account is for a service.
	Sudo, System bool
	Range        hcl.Range
}

// Group is a group without a user of its name.
type Group struct {
	Name string
	// GID is 0 if the number does not matter.
	GID    uint32
	System bool
	Range  hcl.Range
}

// Sysctl is a kernel parameter, its name with dots.
type Sysctl struct {
	Name, Value string
	Range       hcl.Range
}

// Empty reports whether it has no content at all.
func (c *Content) Empty() bool {
	return len(c.Packages)+len(c.ExcludePackages)+len(c.ExcludeFiles)+len(c.Files)+len(c.KernelArgs)+len(c.Units)+len(c.Users)+len(c.Groups)+len(c.Sysctl) == 0 &&
		c.Timezone.Text == "" && c.Locale.Text == "" && c.Keymap.Text == ""
}

// Origin is where a value comes from.
type Origin struct {
	// Range is where it is written.
	Range hcl.Range
	// Outside are the options and variables of the environment that a part of it comes
	// from: "--var NAME", "TREEWRIGHT_VAR_NAME".
	Outside []string
}

// FeatureRef is the mention of a feature by name.
type FeatureRef struct {
	Name  string
	Range hcl.Range
}

// Setting gives one parameter of one feature a value.
type Setting struct {
	Feature string
	Name    string
	// Value is a string, bool, int64, []string, or []Object.
	Value any
	// FeatureRange is the mention of the feature, Range that of the parameter's
	// value.
	FeatureRange, Range hcl.Range
	// Elements are the ranges of a list's elements, if each of them is written out.
	Elements []hcl.Range `json:"-"`
	// Outside is as that of an [Origin].
	Outside []string `json:"-"`
}

// Place returns the feature's directory in its tree: "features/base".
func (f *Feature) Place() string {
	if f.Root == nil {
		return f.Dir
	}
	return strings.TrimPrefix(f.Dir, f.Root.Prefix)
}

// FeatureType is the type of a feature as info.yaml writes it.
type FeatureType string

// The three types of the Garden Linux builder, and our own fourth.
const (
	Platform  FeatureType = "platform"
	Element   FeatureType = "element"
	Flag      FeatureType = "flag"
	Extension FeatureType = "extension"
)

// Feature is a directory below features/ with an info.yaml.
type Feature struct {
	Name        string
	Description string
	Type        FeatureType
	// Stage is the stage of the feature ("commit", "image", "program"), or "".
	Stage   string
	Include []FeatureRef
	Exclude []FeatureRef
	// Parameters are in the order written.
	Parameters []Parameter
	// Packages and ExcludePackages are the lines of pkg.include and
	// pkg.exclude, without comments; PackagesBuild is pkg.build's.
	Packages, ExcludePackages, PackagesBuild []Line
	// FileStat and FileExclude are the lines of file.include.stat and
	// file.exclude, without comments.
	FileStat, FileExclude []Line
	// Recommends reports that what its packages recommend is wanted too.
	Recommends bool
	// Debs are the packages that the feature brings as files.
	Debs []Deb
	// Debconf are the questions of packages that the file debconf answers.
	Debconf []Answer
	// Secrets are absolute paths of files that may be in the system although
	// they are secret.
	Secrets []Line
	// Listens are the sockets on which other machines can reach what the feature
	// brings, with conditions as package lines have them; package compose reads
	// them.
	Listens []Line
	// Scripts describes which of exec.early, exec.accounts, exec.config, exec.late,
	// exec.post and exec.build exist.
	Scripts map[string]bool
	// Programs are the scripts and tests that are text, with their interpreters.
	Programs []Program `json:"-"`
	// Templates are what is in file.template, directories that are not empty apart.
	Templates []Template
	// HasFiles reports that there is a file.include directory.
	HasFiles bool
	// Sources are the package archives that the feature brings.
	Sources []Source
	// Extra is what [Others] noted of the feature's files; only what handed them in
	// knows what it is.
	Extra any
	// Faults are what is wrong with the feature's files. Only features that
	// [ReadFeatures] has read have any here: in their trees, a faulty feature matters
	// to those alone who select it.
	Faults hcl.Diagnostics
	// Root is the tree that it comes from, nil for the own one.
	Root *Root
	// Dir is the feature's directory as messages name it, slash-separated:
	// "features/base", "builtin:features/base".
	Dir   string
	Range hcl.Range
}

// Answer is an answer to a question of a package, without the answer itself: that
// can be secret.
type Answer struct {
	Package, Question string
	// Range is the line, or the first of those that it goes on for.
	Range hcl.Range
}

// Deb is a package in a file of a feature.
type Deb struct {
	// File is its path in the tree, slash-separated.
	File string
	// Package, Version and Arch are what it says that it is. They are "" if only a
	// program can tell: most packages are compressed by xz.
	Package, Version, Arch string
	Range                  hcl.Range
}

// Program is a script or test of a feature, as far as its text says who runs it.
type Program struct {
	// Name is that in the feature's directory: "exec.config", "test/http".
	Name string
	// Interpreter is the name of the program that its first line names, without
	// directories and after env(1); "" if it names none, or one where packages have none.
	Interpreter string
	// Range is the first line.
	Range hcl.Range
}

// ParameterType is the type of a feature's parameter.
type ParameterType string

// The types of parameters. Scripts get a list as one string, see compose.Value.
const (
	String  ParameterType = "string"
	Bool    ParameterType = "bool"
	Int     ParameterType = "int"
	List    ParameterType = "list"
	Objects ParameterType = "objects"
)

// Object is an element of a parameter of type objects: the value of each of its
// fields, a string, bool, int64 or []string.
type Object map[string]any

// Parameter is a value that a flavour can set for a feature.
type Parameter struct {
	Name        string
	Type        ParameterType
	Description string
	// Default is a string, bool, int64, []string or []Object; a string, also one
	// of a list, may hold ${suite}, ${arch}, ${family}, ${flavour}, ${serial_console}, which compose
	// fills in. It is nil if none is written.
	Default      any
	DefaultRange hcl.Range // where it is written, else that of the name
	// Example is a value that can be shown to those who need one, in JSON, which HCL
	// and YAML understand as well; "" if there is none.
	Example string
	// Required reports that it has no default: a flavour with the feature sets it.
	Required bool
	// Values, if not empty, are the only strings allowed.
	Values []string
	// Format is what a string, or each one of a list, has to be, or "".
	Format string
	// Pattern is what a string, or each one of a list, has to match from its
	// beginning to its end, or nil.
	Pattern *regexp.Regexp
	written string // the pattern as it is written
	// Min and Max bound an int, the characters of a string, and the elements of
	// a list or of objects; nil without a bound.
	Min, Max *int64
	// Fields are those that each of the objects has.
	Fields []Parameter
	// stage is what the stage of the feature wants of it.
	stage stageWish
	// Requires is the parameter without which this one has no effect, or "".
	Requires string
	// RequiresRange is where that is written.
	RequiresRange hcl.Range
	// Early reports that exec.early gets the parameter.
	Early bool
	// Secret reports whether the value is the name of a secret. The configuration does not have
	// the secret itself.
	Secret bool
	Range  hcl.Range
}

// ForStageAlone reports that the parameter is for the stage of the feature,
// and not for scripts.
func (p *Parameter) ForStageAlone() bool { return p.stage.choices }

// Account is a line of [AccountsFile], in the syntax of sysusers.d(5): a user or
// a group with a number.
type Account struct {
	account.Line
	Range hcl.Range
}

// stageWish is what a stage wants of a parameter that its code reads.
type stageWish struct {
	// is is the type that it has to be of: the stage would read another one as
	// nothing. "" means any, because all types can be read as a string.
	is     ParameterType
	format string // where the feature names none
	filled bool   // it must not be empty
	// least and most bound an int, unless both are 0.
	least, most int64
	// choices reports that it is a list of what the stage is to make, see
	// [Options.Choices]: at least one, and none twice. Scripts do not get it, because
	// another choice would run them again and make another commit.
	choices bool
}
