package lock

import (
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/distro"
)

// Version is the version of the format that is written, and the newest that is read.
const Version = 1

// Path returns where a flavour's lock file is in the configuration tree,
// slash-separated.
func Path(flavour string) string { return "flavours/" + flavour + suffix }

// suffix ends the names of lock files.
const suffix = ".lock.json"

// FlavourOf returns the flavour of a lock file, by the file's name. It is false for other
// files.
func FlavourOf(name string) (flavour string, ok bool) { return strings.CutSuffix(name, suffix) }

// The names of lists. Those of tools, extensions and exec.build end in a name.
const (
	Bootstrap = "bootstrap"
	Seed      = "seed"
	Rootfs    = "rootfs"
	Tools     = "tools/"
	Data      = "data/"
	Extension = "extension/"
	Pool      = "pool"
	Build     = "exec.build/"
)

// File is the lock of a flavour. It is made by a [Writer] or by [Parse].
type File struct {
	Flavour, Family, Arch string
	Sources               []Source
	// Lists are in the order in which they were asked for: each comes after the one that it
	// is installed on.
	Lists []List
	// Packages are all that some list has, sorted by name, architecture and version.
	Packages []Package

	name    string // of the file, for messages
	text    []byte
	closure map[string]*distro.Closure
}

// Source is a release file that packages were chosen by.
type Source struct {
	// Archive is "" for the sources of the system, and "SUITE ARCH" for those that only tools
	// are from.
	Archive string `json:"archive,omitempty"`
	Name    string `json:"name"`
	// URL is without passwords.
	URL        string   `json:"url"`
	Suite      string   `json:"suite"`
	Components []string `json:"components,omitempty"`
	// Packages and Priority are as in [distro.Source]: they decide what is chosen.
	Packages []string `json:"packages,omitempty"`
	Priority int      `json:"priority,omitempty"`
	// Date is that in the release file; zero if it has none. Release is the SHA-256 of the
	// file.
	Date    time.Time `json:"date,omitzero"`
	Release string    `json:"release_sha256"`
}

// List is one question to the sources, and its answer.
type List struct {
	Name string `json:"list"`
	// Archive is as in [Source].
	Archive string `json:"archive,omitempty"`
	// On is the list that the packages are installed on, "" for none.
	On string `json:"on,omitempty"`
	// Missed are recommended packages that could not be installed.
	Missed []string `json:"missed,omitempty"`
	// Whole is set if Packages are all of the list, in their order. Otherwise those of On
	// belong to it as well.
	Whole bool `json:"whole,omitempty"`
	// Wants are what was asked for, in the form of [Asks].
	Wants []string `json:"wants"`
	// Packages are names of packages of the lock: NAME, NAME:ARCH, NAME/SUITE or longer, the
	// shortest that only one package has.
	Packages []string `json:"packages"`

	line int
}

// Package is a pinned package.
type Package struct {
	distro.Archived
	// Date is that of the release file that it was chosen by, if that is not its source's any
	// more, because the package stayed when the lock was updated.
	Date time.Time
	line int
}

// List returns a list by its name, nil if the lock has none of that name.
func (f *File) List(name string) *List {
	if i := slices.IndexFunc(f.Lists, func(l List) bool { return l.Name == name }); i >= 0 {
		return &f.Lists[i]
	}
	return nil
}

// Closure returns all packages of a list, those included that it is installed on; nil if
// the lock does not have the list.
func (f *File) Closure(name string) *distro.Closure { return f.closure[name] }

// Added returns the packages of a list that the one below it does not have.
func (f *File) Added(name string) []distro.Archived {
	l, c := f.List(name), f.closure[name]
	if l == nil || l.On == "" {
		if c == nil {
			return nil
		}
		return c.Packages
	}
	return c.Minus(f.closure[l.On]).Packages
}

// PackagesOf returns all packages that were chosen from an archive, as [Source] has it.
// Of those in several versions it returns the one of the first list.
func (f *File) PackagesOf(archive string) []distro.Archived {
	var out []distro.Archived
	seen := map[[2]string]bool{}
	for _, l := range f.Lists {
		if l.Archive != archive {
			continue
		}
		for _, p := range f.closure[l.Name].Packages {
			if key := [2]string{p.Name, p.Arch}; !seen[key] {
				seen[key] = true
				out = append(out, p)
			}
		}
	}
	return out
}

// Offers returns all packages of a name.
func (f *File) Offers(name string) []distro.Archived {
	var out []distro.Archived
	for _, p := range f.Packages {
		if p.Name == name {
			out = append(out, p.Archived)
		}
	}
	return out
}

// DateOf returns the date of the release file that a package was chosen by, zero if that is
// not known.
func (f *File) DateOf(p Package) time.Time {
	if !p.Date.IsZero() {
		return p.Date
	}
	var newest time.Time
	for _, s := range f.Sources {
		if s.Name == p.Source && s.Suite == p.Suite && s.Date.After(newest) {
			newest = s.Date
		}
	}
	return newest
}

// Keep takes over the dates of packages that an earlier lock has as well; before may be nil.
func (f *File) Keep(before *File) {
	if before == nil {
		return
	}
	for i, p := range f.Packages {
		for _, old := range before.Packages {
			if at := before.DateOf(old); old.Archived == p.Archived && !at.Equal(f.DateOf(p)) {
				f.Packages[i].Date = at
			}
		}
	}
}

// Date returns the date of the newest release file, zero if none has one.
func (f *File) Date() time.Time {
	var newest time.Time
	for _, s := range f.Sources {
		if s.Date.After(newest) {
			newest = s.Date
		}
	}
	return newest
}

// Places returns the lines of all packages as FILE:LINE, by their SHA-256. A lock that was not
// read from a file has none.
func (f *File) Places() map[string]string {
	out := map[string]string{}
	for _, p := range f.Packages {
		if p.line > 0 {
			out[p.SHA256] = placeOf(f.at(p.line))
		}
	}
	return out
}

// Files returns the text of the lock file, for messages that show lines of it.
func (f *File) Files() map[string]*hcl.File {
	return map[string]*hcl.File{f.name: {Bytes: f.text}}
}

// ListRange returns the line of a list; the first line if the lock does not have the list.
func (f *File) ListRange(name string) hcl.Range {
	if l := f.List(name); l != nil && l.line > 0 {
		return f.at(l.line)
	}
	return f.at(1)
}

func (f *File) at(line int) hcl.Range { return lineRange(f.name, f.text, line) }
