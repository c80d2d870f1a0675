package config

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// files reads the files of a flavour: a directory that holds them, or a mapping of
// paths.
func (l *loader) files(s *scope, attr *hcl.Attribute) []Generated {
	all := []Generated{}
	if !l.isMapping(s, attr) {
		v := l.valueOf(s, attr)
		switch {
		case !v.IsWhollyKnown() || v.IsNull():
		case v.Type() != cty.String:
			l.say(wrongType(attr.Expr.Range(), attr.Name, "a mapping of paths to contents, or the name of a directory", v))
		default:
			all = l.copied(Generated{Path: "/", Range: attr.Expr.Range()}, v.AsString())
		}
		return all
	}
	entries, _ := l.fields(s, attr)
	for _, e := range entries {
		g := Generated{Path: e.Name, Range: e.NameRange}
		if problem := l.pathProblem(e.Name); problem != "" {
			l.say(Fault(e.NameRange, "Invalid path", "%q %s", e.Name, problem))
			continue
		}
		if l.isMapping(s, e) {
			all = append(all, l.file(s, e, g)...)
			continue
		}
		v := l.valueOf(s, e)
		if !v.IsWhollyKnown() || v.IsNull() {
			continue
		}
		if v.Type() != cty.String {
			l.say(wrongType(e.Expr.Range(), e.Name, "a string or a mapping with content or source", v))
			continue
		}
		all = append(all, l.written(g, v.AsString())...)
	}
	slices.SortStableFunc(all, func(a, b Generated) int { return cmp.Compare(a.Path, b.Path) })
	return all
}

// pathProblem describes what keeps a path from being one of a file in a system. "/" is one
// for a directory.
func (l *loader) pathProblem(file string) string {
	switch {
	case !path.IsAbs(file):
		return "is not an absolute path, as in /etc/motd."
	case strings.ContainsFunc(file, unicode.IsControl):
		return "has a control character in it."
	case path.Clean(file) != file:
		return "is not written as plainly as it can be: " + path.Clean(file)
	case len(file) > longestPath:
		return "is longer than a path can be."
	}
	return ""
}

// longestPath is how long a path may be, in bytes, with space for what is put in front.
const longestPath = 3000

// file reads what says more of a file than its content.
func (l *loader) file(s *scope, e *hcl.Attribute, g Generated) []Generated {
	before := len(l.diags)
	f, _ := object[fileFields](l, s, e)
	misspelt := len(l.diags) > before
	if mode := l.textOf(s, f.Mode); mode != nil {
		g.Mode = mode.value
		if !octalMode.MatchString(mode.value) {
			l.say(Fault(mode.at, "Invalid mode", "%q is not a mode: three or four octal digits, as in \"0644\".", mode.value))
			g.Mode = ""
		}
	}
	g.Owner, g.Group = l.ownerOf(s, f.Owner, "user"), l.ownerOf(s, f.Group, "group")
	g.Secret = l.boolOf(s, f.Secret)
	switch {
	case f.Content != nil && f.Source != nil:
		l.say(Fault(f.Source.NameRange, "Two contents", "%s has both content and source; it can have only one of them.", e.Name))
	case f.Content != nil:
		if t := l.textOf(s, f.Content); t != nil {
			return l.written(g, t.value)
		}
	case f.Source != nil:
		if t := l.textOf(s, f.Source); t != nil {
			g.Range = t.at
			return l.copied(g, t.value)
		}
	case !misspelt:
		l.say(Fault(e.NameRange, "Missing content", "%s needs content, which is the text of the file, or source, which is a file or directory to copy.", e.Name))
	}
	return nil
}

var (
	octalMode = regexp.MustCompile(tagOf[fileFields]("Mode", "pattern"))
	ownerName = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_.-]*|[0-9]+)$`)
)

func (l *loader) ownerOf(s *scope, attr stringAttr, what string) string {
	t := l.textOf(s, attr)
	if t == nil {
		return ""
	}
	if !ownerName.MatchString(t.value) {
		l.say(Fault(t.at, "Invalid "+what, "%q cannot be the name or number of a %s.", t.value, what))
		return ""
	}
	return t.value
}

// topDirectories are directories, and links to directories, without which no system
// starts. A file in place of one of the links would be copied.
var topDirectories = []string{"/etc", "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"}

// written checks a file whose content is in the flavour.
func (l *loader) written(g Generated, content string) []Generated {
	if g.Path == "/" {
		l.say(Fault(g.Range, "Invalid path", "Only a directory can be copied to /: write source."))
		return nil
	}
	g.Content = []byte(content)
	reason := l.misplaced(g.Path)
	if reason == "" && slices.Contains(topDirectories, g.Path) {
		reason = "It is a directory in every system."
	}
	if reason != "" {
		l.say(Fault(g.Range, "File that cannot reach a machine", "%s: %s", g.Path, reason))
		return nil
	}
	if what := Secret(g.Path, g.Content); what != "" && !g.Secret {
		l.say(secretFault(g.Range, g.Path, what))
		return nil
	}
	return []Generated{g}
}

func secretFault(at hcl.Range, file, what string) *hcl.Diagnostic {
	return Fault(at, "Secret in the system", "%s is %s, and everyone who gets the commit could read it. Put it on each machine in another way; or, if it is not a secret or may be public, write %s in files.", file, what, InSyntax(at, fmt.Sprintf("%q", file), "{ ..., "+InSyntax(at, "secret", "true")+" }"))
}

// misplaced explains why no file can be at an absolute path of a commit, or "".
func (l *loader) misplaced(file string) string {
	rel := strings.TrimPrefix(file, "/")
	for _, p := range ownNames {
		if rel == p.Path {
			return p.Reason
		}
	}
	for _, p := range slices.Concat(Places, l.opts.Places) {
		if p.has(rel) {
			return p.Reason
		}
	}
	return ""
}

// copied checks a file or directory of the tree that is copied to g.Path. What is in
// a directory and has to be known by its own path is returned as well.
func (l *loader) copied(g Generated, from string) []Generated {
	if !fs.ValidPath(path.Clean(from)) || from == "" {
		l.say(Fault(g.Range, "Invalid source", "%q is not the name of a file or directory in the configuration tree, relative to the directory that flavours/ is in.", from))
		return nil
	}
	real, err := Follow(l.fsys, path.Clean(from))
	var link *LinkError
	switch {
	case errors.As(err, &link):
		l.say(Fault(g.Range, "Invalid source", "%q cannot be copied: %s. Links are followed within the tree only.", from, link))
		return nil
	case errors.Is(err, fs.ErrNotExist):
		l.say(Fault(g.Range, "Missing source", "There is no file or directory %q in the configuration tree.%s", from, l.nearby(from)))
		return nil
	case err != nil:
		l.say(Fault(g.Range, "Cannot read source", "%s.", err))
		return nil
	}
	g.Source = real
	info, err := fs.Lstat(l.fsys, real)
	switch {
	case err != nil:
		l.say(Fault(g.Range, "Cannot read source", "%s.", err))
		return nil
	case !info.IsDir() && g.Path == "/":
		l.say(Fault(g.Range, "Not a directory", "%q is a file. The name of a directory means all that is in it; for one file, write %s.", from, InSyntax(g.Range, "files", "{ "+InSyntax(g.Range, `"/its/path"`, "{ "+InSyntax(g.Range, "source", fmt.Sprintf("%q", from))+" }")+" }")))
		return nil
	case info.IsDir() && g.Mode != "":
		l.say(Fault(g.Range, "Mode without effect", "%q is a directory. A mode is for one file; files in a directory that are executable stay so.", from))
		return nil
	case info.IsDir() && g.Secret:
		l.say(Fault(g.Range, "Field without effect", "%q is a directory. Name the file that may be secret by its own path.", from))
		return nil
	case info.IsDir() && g.Path == "/" && g.Owner+g.Group != "":
		l.say(Fault(g.Range, "Owner without effect", "Directories of the whole system cannot get another owner: copy a directory to a path of its own."))
		return nil
	}
	return l.walked(g)
}

// nearby suggests a name for one that is not there: the part of it that is missing may
// be followed by others.
func (l *loader) nearby(name string) string {
	dir, rest := ".", strings.Split(path.Clean(name), "/")
	for {
		entries, err := fs.ReadDir(l.fsys, dir)
		if err != nil {
			return ""
		}
		var names []string
		for _, e := range entries {
			names = append(names, path.Join(dir, e.Name()))
		}
		next := path.Join(dir, rest[0])
		if !slices.Contains(names, next) {
			meant := Suggest(next, names)
			whole := path.Join(append([]string{meant}, rest[1:]...)...)
			if _, err := fs.Stat(l.fsys, whole); meant == "" || err != nil {
				return ""
			}
			return fmt.Sprintf(" Did you mean %q?", whole)
		}
		if dir, rest = next, rest[1:]; len(rest) == 0 {
			return ""
		}
	}
}

// walked looks at all that is copied. A tree that is copied several times, as in a
// matrix, is looked at once.
func (l *loader) walked(g Generated) []Generated {
	key := [3]string{g.Source, g.Path}
	if g.Secret {
		key[2] = "secret"
	}
	if more, done := l.sources[key]; done {
		for i := range more {
			more[i].Range, more[i].Owner, more[i].Group = g.Range, g.Owner, g.Group
		}
		return append([]Generated{g}, more...)
	}
	var more []Generated
	before := len(l.diags)
	err := fs.WalkDir(l.fsys, g.Source, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		file := path.Join(g.Path, strings.TrimPrefix(name, g.Source))
		if d.IsDir() {
			return nil
		}
		if l.oddFile(name, d.Type()) {
			return nil
		}
		reason := l.misplaced(file)
		if reason == "" && d.Type().IsRegular() && slices.Contains(topDirectories, file) {
			reason = "It is a directory in every system."
		}
		if reason != "" {
			l.say(Fault(g.Range, "File that cannot reach a machine", "%s would become %s. %s", name, file, reason))
			return nil
		}
		if strings.HasSuffix(path.Dir(file), "/sysusers.d") && name != g.Source {
			more = append(more, Generated{Path: file, Source: name, Owner: g.Owner, Group: g.Group, Range: g.Range})
		}
		return l.lookForSecret(g, name, file, d)
	})
	if err != nil {
		l.say(Fault(g.Range, "Cannot read source", "%s.", err))
	}
	if len(l.diags) > before {
		return nil
	}
	if l.sources == nil {
		l.sources = map[[3]string][]Generated{}
	}
	l.sources[key] = more
	return append([]Generated{g}, more...)
}

// lookForSecret looks at one file that is copied, as [loader.checkFiles] does.
func (l *loader) lookForSecret(g Generated, name, file string, d fs.DirEntry) error {
	info, err := d.Info()
	if err != nil || !d.Type().IsRegular() || info.Size() > MostSecret || l.unlooked || g.Secret {
		return err
	}
	if l.looked += int(info.Size()) + costOfLook; l.looked > mostLooked {
		l.unlooked = true
		l.say(Warning(g.Range, "Files not checked", "From %s on, files were not checked for secrets, because there are too many. The build checks all of them before it makes the commit.", name))
		return nil
	}
	content, err := fs.ReadFile(l.fsys, name)
	if err != nil {
		return err
	}
	if what := Secret(file, content); what != "" {
		l.say(secretFault(g.Range, file, what))
	}
	return nil
}
