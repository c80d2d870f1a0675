package config

import (
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// UseKind describes what a tree uses.
type UseKind int

// The kinds of trees that can be used.
const (
	UseBuiltin UseKind = iota // what is part of the program
	UsePath                   // a directory of this machine
	UseGit                    // a commit of a git repository
)

// Builtin is the entry of use for the features that are part of the program.
const Builtin = "builtin"

// Use is an entry of use, understood.
type Use struct {
	Kind UseKind
	// Path is relative to the tree that it is written in, or absolute.
	Path string
	// URL is that of a git repository, Commit a full commit id, and Dir the
	// directory of the tree in it, "." for the whole.
	URL, Commit, Dir string
}

var (
	commitID  = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)
	unusual   = regexp.MustCompile(`[^A-Za-z0-9._-]+`)
	gitScheme = regexp.MustCompile(`^git\+(https?|ssh|file)://`)
)

// gitForm is how an entry for git is written.
const gitForm = "git+https://HOST/REPOSITORY#COMMIT, or ...#COMMIT:DIRECTORY for a directory in it"

// parseUse reads an entry of use.
func parseUse(s string, at hcl.Range) (Use, *hcl.Diagnostic) {
	switch {
	case s == Builtin:
		return Use{Kind: UseBuiltin}, nil
	case gitScheme.MatchString(s):
		return parseGit(s, at)
	case strings.Contains(s, "://") || strings.HasPrefix(s, "git@") || strings.HasPrefix(s, "git+"):
		return Use{}, Fault(at, "Invalid tree", "%q is neither %q, nor a path, nor a git repository, which is written as %s.%s", s, Builtin, gitForm, meantGit(s))
	case s == "" || strings.HasPrefix(s, "~"):
		return Use{}, Fault(at, "Invalid tree", "%q is not a path: write one that is relative to this tree, such as ../shared, or an absolute one.", s)
	}
	return Use{Kind: UsePath, Path: path.Clean(s)}, nil
}

// scpForm is how git lets people write an address of ssh.
var scpForm = regexp.MustCompile(`^([A-Za-z0-9._-]+@[A-Za-z0-9.-]+):([^/].*)$`)

// meantGit suggests how a repository is written, as the end of a message.
func meantGit(s string) string {
	address := strings.TrimPrefix(s, "git+")
	switch m := scpForm.FindStringSubmatch(address); {
	case m != nil:
		address = "ssh://" + m[1] + "/" + m[2]
	case path.IsAbs(address):
		address = "file://" + address
	}
	if meant := "git+" + address; meant != s && gitScheme.MatchString(meant) {
		return fmt.Sprintf(" Did you mean %q?", meant)
	}
	return ""
}

func parseGit(s string, at hcl.Range) (Use, *hcl.Diagnostic) {
	address, what, _ := strings.Cut(strings.TrimPrefix(s, "git+"), "#")
	commit, dir, _ := strings.Cut(what, ":")
	switch parsed, err := url.Parse(address); {
	case err != nil:
		return Use{}, Fault(at, "Invalid URL", "%q is not a URL: %v.", address, err)
	case parsed.Scheme == "file" && (parsed.Host != "" || !path.IsAbs(parsed.Path)):
		return Use{}, Fault(at, "Invalid URL", "%q has no absolute path: three slashes follow file:, as in git+file:///srv/trees.git.", address)
	}
	if lower := strings.ToLower(commit); lower != commit && commitID.MatchString(lower) {
		return Use{}, Fault(at, "Not a commit", "A commit id is written with small letters. Did you mean %q?", lower)
	}
	if !commitID.MatchString(commit) {
		return Use{}, Fault(at, "Not a commit", "%q does not say which commit: after # has to be a full commit id of 40 hexadecimal digits, as `git rev-parse HEAD` prints it. A branch or a tag can move, and another build would be made of something else.", s)
	}
	u := Use{Kind: UseGit, URL: address, Commit: commit, Dir: path.Clean(dir)}
	if path.IsAbs(u.Dir) || !inside(u.Dir) {
		return Use{}, Fault(at, "Invalid path", "%q is not a directory in the repository.", dir)
	}
	return u, nil
}

// inside reports that a clean relative path does not lead out.
func inside(p string) bool { return p != ".." && !strings.HasPrefix(p, "../") }

// Root is a tree that features come from: the own one, or one that it uses.
type Root struct {
	// Name is what people call it: "" for the own tree, "builtin", a path, or
	// REPOSITORY@COMMIT.
	Name string
	// Prefix begins the names of the tree's files wherever they are mentioned:
	// "builtin:", "../shared/". It is "" for the own tree.
	Prefix string
	// ID is the same for the same tree, whichever way it was named.
	ID string
	FS fs.FS
	// Dir is where it is on this machine, absolute; "" if it is part of the program.
	Dir string
	// entry is what it is used by; the own tree has none.
	entry useEntry
}

// shown is what messages call a tree.
func (r *Root) shown() string {
	if r.Name == "" {
		return "the tree itself"
	}
	return r.Name
}

// Uses is what [Load] opens trees with that others use.
type Uses struct {
	// ID and Dir are those of the own tree; see [Root].
	ID, Dir string
	// Open opens the tree that an entry of a treewright.hcl in another tree means. It
	// fills in ID, FS and Dir. An error is a sentence without its full stop.
	Open func(from *Root, u Use) (*Root, error)
	// Builtin are the names of the features that are part of the program.
	Builtin []string
}

// useEntry is an entry as it is seen from the own tree.
type useEntry struct {
	use          Use
	name, prefix string
}

// seenFrom names what is used as people who stand in the own tree do. Paths in a git
// repository stay in it.
func (u Use) seenFrom(from *Root, at hcl.Range) (useEntry, *hcl.Diagnostic) {
	within := from.entry.use
	if u.Kind == UsePath && within.Kind == UseGit {
		dir := path.Join(within.Dir, u.Path)
		if path.IsAbs(u.Path) || !inside(dir) {
			return useEntry{}, Fault(at, "Invalid path", "%q leads out of the git repository that this tree is in: use builtin, paths within the repository, or other git repositories.", u.Path)
		}
		u = Use{Kind: UseGit, URL: within.URL, Commit: within.Commit, Dir: dir}
	}
	switch u.Kind {
	case UseBuiltin:
		return useEntry{u, Builtin, Builtin + ":"}, nil
	case UseGit:
		repository := strings.TrimSuffix(strings.TrimRight(u.URL, "/"), "/.git")
		name := unusual.ReplaceAllString(strings.TrimSuffix(path.Base(repository), ".git"), "-") + "@" + u.Commit[:12]
		if u.Dir == "." {
			return useEntry{u, name, name + ":"}, nil
		}
		return useEntry{u, name + ":" + u.Dir, name + ":" + u.Dir + "/"}, nil
	}
	where := u.Path
	if !path.IsAbs(where) {
		where = path.Join(from.Prefix, where)
	}
	return useEntry{u, where, strings.TrimSuffix(where, "/") + "/"}, nil
}

// String is the entry as it is written.
func (u Use) String() string {
	switch u.Kind {
	case UseBuiltin:
		return Builtin
	case UsePath:
		return u.Path
	}
	s := fmt.Sprintf("git+%s#%s", u.URL, u.Commit)
	if u.Dir != "." {
		s += ":" + u.Dir
	}
	return s
}
