package difference

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/format"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/report"
)

// Side is one of the two that are compared.
type Side struct {
	// Name is what it was asked for by.
	Name string `json:"name"`
	// Kind is what it is: "commit", "build" or "lock".
	Kind    string    `json:"kind"`
	Commit  string    `json:"commit,omitempty"`
	Ref     string    `json:"ref,omitempty"`
	Version string    `json:"version,omitempty"`
	Time    time.Time `json:"time,omitzero"`

	// Packages are those of the system, sorted; Known reports whether they are known.
	Packages []report.Package `json:"-"`
	Known    bool             `json:"-"`
	// Sums are the SHA-256 of packages' files, as far as they are known.
	Sums map[distro.Package]string `json:"-"`
	// Tree is the tree of the commit; nil without a commit.
	Tree *ostree.Tree `json:"-"`
	// Whole reports whether the sizes of all files can be read, and are worth it.
	Whole bool `json:"-"`
	// Build reports whether the next two are known.
	Build               bool     `json:"-"`
	Listens, KernelArgs []string `json:"-"`
	// Cause returns which feature or step a file is from, by its path on a machine; "" if
	// that is not known. It may be nil.
	Cause func(path string) string `json:"-"`
}

// Options are where packages and downloads are looked up.
type Options struct {
	Distro distro.Distro
	// Package returns the path of a package's file on this machine by its SHA-256; "" if it
	// is not there. It may be nil.
	Package func(sha256 string) string
	// Download finds out what a machine with the commit of the first side downloads for that
	// of the second one; nil if there are not two commits.
	Download func() (*Download, error)
}

// Difference is what is different.
type Difference struct {
	Before Side `json:"before"`
	After  Side `json:"after"`
	// Same reports whether nothing is.
	Same     bool      `json:"same"`
	Packages []Package `json:"packages"`
	// CVEs are those that changelogs of packages mention, each once.
	CVEs   []string `json:"cves"`
	Causes []Cause  `json:"causes"`
	Files  []File   `json:"files"`
	Units  []Unit   `json:"units"`
	// Accounts are those that were added, removed or got another number.
	Accounts []Account `json:"accounts"`
	// Privileged are files whose set-user-ID or set-group-ID bit or capabilities differ.
	Privileged []Privileged `json:"privileged"`
	KernelArgs List         `json:"kernel_args"`
	Sockets    List         `json:"sockets"`
	// Size is that of the tree; nil if there are not two trees.
	Size *Size `json:"size,omitempty"`
	// Download is what a machine downloads; nil if that is not known.
	Download *Download `json:"download,omitempty"`
	// Notes are what could not be compared, and why.
	Notes []string `json:"notes,omitempty"`
}

// List is what was added to a list, and what was removed.
type List struct {
	Added   []string `json:"added,omitempty"`
	Removed []string `json:"removed,omitempty"`
}

// Size is the size of the files of the trees, in bytes. Before and After are 0 if neither
// tree was read as a whole.
type Size struct {
	Before int64 `json:"before,omitempty"`
	After  int64 `json:"after,omitempty"`
	Grown  int64 `json:"grown"`
}

// Package is a package that is not the same on both sides.
type Package struct {
	Name string `json:"name"`
	// What is "added", "removed", "upgraded" or "downgraded".
	What   string `json:"what"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
	// Changelog has the entries between the versions, the newest first. Of several packages
	// with the same entries the first one has them, and SameAs of the others names it.
	Changelog []distro.ChangelogEntry `json:"changelog,omitempty"`
	SameAs    string                  `json:"same_as,omitempty"`
	// CVEs are those that the entries mention.
	CVEs []string `json:"cves,omitempty"`
	// NoChangelog is why entries are missing, for a package in two versions.
	NoChangelog string `json:"no_changelog,omitempty"`
}

// File is a file or directory that is not the same on both sides.
type File struct {
	// Path is that in the commit.
	Path string `json:"path"`
	// What is "added", "removed" or "changed".
	What  string `json:"what"`
	Cause string `json:"cause"`
	Dir   bool   `json:"directory,omitempty"`
	// Details are what changed beside the content: mode, owner, extended attributes, the
	// target of a link.
	Details []string `json:"details,omitempty"`
	// Grown is by how many bytes the content grew.
	Grown int64 `json:"grown,omitempty"`

	before, after *format.OSTreeFile
	was, is       *ostree.Entry
}

// Cause is what files are from, and how many of them differ; directories are not counted.
type Cause struct {
	Name    string `json:"name"`
	Added   int    `json:"added,omitempty"`
	Removed int    `json:"removed,omitempty"`
	Changed int    `json:"changed,omitempty"`
	Grown   int64  `json:"grown,omitempty"`
}

// Privileged is a file whose rights are more than those of who starts it.
type Privileged struct {
	Path   string `json:"path"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// Unit is what happened to a unit of systemd.
type Unit struct {
	Name string `json:"name"`
	// What is "enabled", "disabled", "masked" or "unmasked".
	What string `json:"what"`
	// By are the units that want or require it, sorted.
	By []string `json:"by,omitempty"`
	// User reports whether it is one of users' service managers.
	User bool `json:"user,omitempty"`
}

// Account is a user or group that was added or removed, or got another number.
type Account struct {
	Kind string `json:"kind"` // "user" or "group"
	Name string `json:"name"`
	// What is "added", "removed" or "renumbered".
	What   string `json:"what"`
	Before uint32 `json:"before"`
	After  uint32 `json:"after"`
}

func (l List) empty() bool { return len(l.Added)+len(l.Removed) == 0 }

func (d *Difference) note(format string, args ...any) {
	d.Notes = append(d.Notes, fmt.Sprintf(format, args...))
}

// lists compares two lists whose order does not matter.
func lists(before, after []string) List {
	return List{Added: without(after, before), Removed: without(before, after)}
}

func without(list, others []string) []string {
	has := map[string]int{}
	for _, s := range others {
		has[s]++
	}
	var left []string
	for _, s := range list {
		if has[s]--; has[s] < 0 {
			left = append(left, s)
		}
	}
	return left
}

func prefixed(prefix string, list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = prefix + s
	}
	return out
}

func kindOf(mode uint32) string {
	switch mode & unix.S_IFMT {
	case unix.S_IFREG:
		return "file"
	case unix.S_IFDIR:
		return "directory"
	case unix.S_IFLNK:
		return "link"
	}
	return "special file"
}

// Download is what a machine downloads to get from one commit to the other, in bytes.
type Download struct {
	Objects int   `json:"objects"`
	Bytes   int64 `json:"bytes"`
	// Delta is the size of the static delta, 0 if there is none.
	Delta int64 `json:"delta_bytes,omitempty"`
}
