package treefs

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/pattern"
)

// Glob returns the paths in the tree, absolute within it, that a pattern
// matches as bash with globstar reads it: *, ? and [...] within a name, hidden
// names only by a pattern that begins with a dot, ** for a directory and all below
// it, directories alone if there is a slash at the end. A pattern without any of
// these is its own match if it exists. Links on the way lead where they do for
// programs of the tree.
func Glob(tree, pat string) ([]string, error) {
	root, err := OpenRoot(tree)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	var names []globName
	for name := range strings.SplitSeq(strings.Trim(path.Clean("/"+pat), "/"), "/") {
		names = append(names, parseGlobName(name))
	}
	names = slices.CompactFunc(names, func(a, b globName) bool { return a.deep && b.deep })
	g := globber{fsys: root, directories: strings.HasSuffix(pat, "/"), seen: map[string]bool{}}
	g.match(".", names)
	return g.found, g.err
}

// globName is what a pattern says of one name: the name itself, what it looks
// like, or ** for any number of directories.
type globName struct {
	literal string
	like    *regexp.Regexp
	hidden  bool // begins with a dot
	deep    bool
}

func parseGlobName(text string) globName {
	if text == "**" {
		return globName{deep: true}
	}
	// A set that does not end means itself, and everything after it.
	if !pattern.HasMeta(text, 0) {
		return globName{literal: unescape.ReplaceAllString(text, "$1")}
	}
	// Names of one directory hold no slash, and whether hidden ones match is the
	// first character's business.
	expr, err := pattern.Regexp(text, pattern.EntireString)
	if err != nil {
		return globName{like: nothing} // [z-a]
	}
	re, err := regexp.Compile(expr)
	if err != nil {
		re = nothing
	}
	return globName{like: re, hidden: strings.HasPrefix(text, ".")}
}

var (
	unescape = regexp.MustCompile(`(?s)\\(.)`)
	nothing  = regexp.MustCompile(`[^\x00-\x{10FFFF}]`)
)

type globber struct {
	fsys        fs.FS
	directories bool // alone
	seen        map[string]bool
	found       []string
	err         error
}

func (g *globber) match(dir string, names []globName) {
	name, rest := names[0], names[1:]
	switch {
	case name.deep:
		g.deep(dir, rest)
	case name.like == nil:
		g.step(path.Join(dir, name.literal), rest)
	default:
		for _, e := range g.entries(dir) {
			if (name.hidden || !strings.HasPrefix(e.Name(), ".")) && name.like.MatchString(e.Name()) {
				g.step(path.Join(dir, e.Name()), rest)
			}
		}
	}
}

// step goes on below p, or takes p if the pattern ends here.
func (g *globber) step(p string, rest []globName) {
	if len(rest) > 0 {
		g.match(p, rest)
		return
	}
	if _, err := fs.Lstat(g.fsys, p); err == nil && (!g.directories || g.isDirectory(p)) {
		g.add(p)
	}
}

// deep is ** in a directory: what follows is looked for there and in all directories
// below, but not through a link in one that a link led to.
func (g *globber) deep(dir string, rest []globName) {
	if !g.isDirectory(dir) {
		return
	}
	if len(rest) > 0 {
		g.match(dir, rest)
	} else if dir != "." {
		g.add(dir)
	}
	for _, e := range g.entries(dir) {
		p := path.Join(dir, e.Name())
		switch link := e.Type()&fs.ModeSymlink != 0; {
		case strings.HasPrefix(e.Name(), "."):
		case e.IsDir():
			g.deep(p, rest)
		case len(rest) == 0:
			g.step(p, nil)
		case link && g.isDirectory(p):
			g.match(p, rest)
		}
	}
}

func (g *globber) isDirectory(p string) bool {
	info, err := fs.Stat(g.fsys, p)
	return err == nil && info.IsDir()
}

func (g *globber) add(p string) {
	if !g.seen[p] {
		g.seen[p] = true
		g.found = append(g.found, "/"+p)
	}
}

// entries lists a directory; a file has no entries.
func (g *globber) entries(dir string) []fs.DirEntry {
	if !g.isDirectory(dir) {
		return nil
	}
	entries, err := fs.ReadDir(g.fsys, dir)
	if err != nil && g.err == nil {
		g.err = fmt.Errorf("list %s: %w", dir, err)
	}
	return entries
}
