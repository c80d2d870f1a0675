package serve

import (
	"io/fs"
	"slices"
	"strings"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/publish"
)

// artifact is what a manifest says of one artifact.
type artifact = publish.ManifestArtifact

// flavour is one manifest, as it was read. It does not change.
type flavour struct {
	name      string
	artifacts []artifact // sorted by name
	summary   summary
	past      []past // its commits, the newest first
	more      bool   // there are older ones
	info      fs.FileInfo
	changed   time.Time // of the manifest
}

func (f *flavour) artifact(name string) *artifact {
	i := slices.IndexFunc(f.artifacts, func(a artifact) bool { return a.Name == name })
	if i < 0 {
		return nil
	}
	return &f.artifacts[i]
}

// repository is the artifact that machines pull from; nil if there is none.
func (f *flavour) repository() *artifact {
	i := slices.IndexFunc(f.artifacts, func(a artifact) bool { return a.Kind == plan.RepositoryArtifact })
	if i < 0 {
		return nil
	}
	return &f.artifacts[i]
}

// listing is all that is served at one moment. It does not change.
type listing struct {
	flavours []*flavour // in the order named, else sorted
	// short maps the name of an artifact to the flavour it comes from when no
	// flavour is named.
	short map[string]*flavour
}

func (l *listing) flavour(name string) *flavour {
	i := slices.IndexFunc(l.flavours, func(f *flavour) bool { return f.name == name })
	if i < 0 {
		return nil
	}
	return l.flavours[i]
}

// changeTime is when a file or its inode last changed. Unlike the modification
// time it cannot be set, and builds do set that one to the same for all files.
func changeTime(info fs.FileInfo) time.Time {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return time.Unix(st.Ctim.Unix())
	}
	return info.ModTime()
}

// validName reports whether something can be the name of a flavour or of an
// artifact: not empty, not hidden, nothing that a file system or a SHA256SUMS
// file would take for more than a name.
func validName(name string) bool {
	return name != "" && name[0] != '.' && utf8.ValidString(name) &&
		!strings.ContainsFunc(name, func(r rune) bool { return r == '/' || r == '\\' || unicode.IsControl(r) })
}
