package stages

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/treewright/treewright/builder/shell"
	"github.com/treewright/treewright/builder/treefs"
)

// scanned is what files of a feature say of what they look for. In doubt they
// get all.
type scanned struct {
	// tree explains why they want more of /builder than themselves, env why they want
	// all of the environment; "" if they do not.
	tree, env string
	texts     [][]byte
}

var (
	// builderMentions are what a file says that looks for more of /builder than
	// itself, or for where it is.
	builderMentions = regexp.MustCompile(`/builder\b|\b(features|cert)/|requirements\.defs|keyring\.gpg|BASH_SOURCE|\$\{?0\b|\bdirname\b|\.\./|(?m:(?:^|[\s"'=:(])\.\.(?:[\s"';&|)]|$))`)
	// envMentions are what a file says that looks at the environment as a whole, or
	// puts names of variables together.
	envMentions = regexp.MustCompile(`(BUILDER_)(?:\W|$)|\benv\b|printenv|declare|export -p|compgen|/environ\b`)
)

// scan looks once at all files below dir that pick chooses.
func scan(dir string, pick func(string, bool) bool) (*scanned, error) {
	// The directory itself may be a link, which is not walked into.
	dir, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, err
	}
	s := &scanned{}
	err = filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || file == dir {
			return err
		}
		rel, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		switch {
		case !pick(filepath.ToSlash(rel), d.IsDir()):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.Type() == fs.ModeSymlink:
			return s.link(dir, file)
		case d.Type().IsRegular():
			return s.file(file, filepath.ToSlash(rel))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", dir, err)
	}
	return s, nil
}

// link looks at a link: one out of the directory wants what it leads to.
func (s *scanned) link(dir, file string) error {
	to, err := os.Readlink(file)
	if err != nil {
		return err
	}
	inside, err := filepath.Rel(dir, filepath.Join(filepath.Dir(file), to))
	if filepath.IsAbs(to) || err != nil || !filepath.IsLocal(inside) {
		s.wantsTree(fmt.Sprintf("a link to %q", to))
	}
	return nil
}

// file looks at a file, which messages call name.
func (s *scanned) file(file, name string) error {
	text, err := treefs.ReadFile(file, treefs.MostFile)
	if large := (*treefs.SizeError)(nil); errors.As(err, &large) {
		s.wantsAll("the size of " + name) // nobody knows what it mentions
		return nil
	}
	if err != nil {
		return err
	}
	// The helper programs are there for every script.
	text = bytes.ReplaceAll(text, []byte(helperDir), nil)
	s.texts = append(s.texts, text)
	if m := builderMentions.Find(text); m != nil {
		s.wantsTree(strings.Trim(string(m), " \t\r\n\"'`=:;&|()"))
	}
	if m := envMentions.FindSubmatch(text); m != nil {
		s.wantsEnv(cmp.Or(string(m[1]), string(m[0])))
	}
	switch {
	case bytes.HasPrefix(text, []byte("\x7fELF")):
		s.wantsAll("the program " + name)
	case shell.Named(text) || strings.HasPrefix(name, "exec.") && !bytes.HasPrefix(text, []byte("#!")):
		s.script(text, name)
	case bytes.HasPrefix(text, []byte("#!")):
		s.wantsAll("the interpreter of " + name)
	}
	return nil
}

// script looks at what a shell runs.
func (s *scanned) script(text []byte, name string) {
	file, ok := shell.Parse(text)
	if !ok {
		s.wantsAll("what no shell reads in " + name)
		return
	}
	syntax.Walk(file, func(node syntax.Node) bool {
		switch n := node.(type) {
		case *syntax.ParamExp:
			if n.Excl {
				s.wantsEnv("${!")
			}
		case *syntax.DeclClause:
			s.declaration(n)
		case *syntax.CallExpr:
			s.call(n.Args)
		}
		return true
	})
}

// declaration looks at a declaration: one without names lists variables, as does
// -p, and -n makes a name that refers to a variable whose name is put together.
func (s *scanned) declaration(n *syntax.DeclClause) {
	if len(n.Args) == 0 && n.Variant.Value != "local" {
		s.wantsEnv(n.Variant.Value)
	}
	for _, a := range n.Args {
		if a.Value == nil || a.Name != nil {
			continue
		}
		// "export -n" takes a variable out of the environment.
		if flag := a.Value.Lit(); strings.HasPrefix(flag, "-") && (strings.Contains(flag, "p") || strings.Contains(flag, "n") && n.Variant.Value != "export") {
			s.wantsEnv(n.Variant.Value + " " + flag)
		}
	}
}

// readers are programs that read the environment by names that they put
// together, or that their own scripts know. What is sourced need not look like a
// script.
var readers = []string{".", "awk", "bash", "dash", "envsubst", "eval", "gawk", "jq", "lua", "make", "mawk", "node", "perl", "php", "ruby", "sh", "source"}

// starters are commands that start the one among their arguments.
var starters = []string{
	"builtin", "chroot", "command", "exec", "fakeroot", "find", "flock", "ionice", "nice", "nohup", "nsenter", "setsid", "stdbuf", "sudo", "time", "timeout", "unshare", "xargs",
}

// call looks at a command: what reads the environment may read all of it.
func (s *scanned) call(args []*syntax.Word) {
	if len(args) == 0 {
		return
	}
	name := path.Base(args[0].Lit())
	switch {
	case args[0].Lit() == "":
		s.wantsEnv("a command by a variable")
	case name == "set" && len(args) == 1:
		s.wantsEnv("set")
	case slices.Contains(readers, name), strings.HasPrefix(name, "python"):
		s.wantsEnv(name)
	case slices.Contains(starters, name):
		s.started(name, args[1:])
	}
}

// started looks for a command among the arguments of one that starts it. The "."
// of find is a directory.
func (s *scanned) started(starter string, args []*syntax.Word) {
	for i, a := range args {
		name := path.Base(a.Lit())
		if name == "set" && i == len(args)-1 || strings.HasPrefix(name, "python") || slices.Contains(readers, name) && (name != "." || starter == "builtin" || starter == "command") {
			s.wantsEnv(name)
		}
	}
}

func (s *scanned) wantsTree(why string) { s.tree = cmp.Or(s.tree, why) }
func (s *scanned) wantsEnv(why string)  { s.env = cmp.Or(s.env, why) }

func (s *scanned) wantsAll(why string) {
	s.wantsTree(why)
	s.wantsEnv(why)
}

// mentions reports whether a word is in the files.
func (s *scanned) mentions(word string) bool {
	what := regexp.MustCompile(regexp.QuoteMeta(word) + `\b`)
	return slices.ContainsFunc(s.texts, what.Match)
}

// matches reports whether the files want more of the tree by another pattern.
func (s *scanned) matches(what *regexp.Regexp) bool {
	return s.tree != "" || slices.ContainsFunc(s.texts, what.Match)
}
