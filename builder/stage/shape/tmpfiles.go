package shape

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/treewright/treewright/builder/format"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/stage/machine"
	"github.com/treewright/treewright/builder/treefs"
)

// ruleDirs hold tmpfiles.d rules; a file in the first hides one of the same
// name in the next. What features put into /usr/local/lib/tmpfiles.d has been
// moved to the last.
var ruleDirs = []string{"etc/tmpfiles.d", "usr/lib/tmpfiles.d"}

// redirectRules makes the packages' own tmpfiles.d(5) rules mention where the
// directories are that became links. systemd-tmpfiles goes through the rules in
// the order of their paths, and a rule for what a link leads to fails as
// long as the link leads nowhere: so /root/.ssh, for one, would never be made.
func redirectRules(tree string) error {
	for _, dir := range ruleDirs {
		files, err := layer.Glob(filepath.Join(tree, dir), "*.conf")
		if err != nil {
			return err
		}
		for _, file := range files {
			info, err := os.Lstat(file)
			if err != nil || !info.Mode().IsRegular() {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			if redirected := redirectRuleFile(string(text)); redirected != string(text) {
				if err := os.WriteFile(file, []byte(redirected), info.Mode()); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func redirectRuleFile(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = format.MoveTmpfiles(line, machine.BehindLinks)
	}
	return strings.Join(lines, "\n")
}

// A treeRule is a rule that the tree has without us.
type treeRule struct {
	*format.TmpfilesRule
	file string // its name, without the directory
	text string
}

func (r treeRule) String() string { return fmt.Sprintf("the rule %q in %s", r.text, r.file) }

// treeRules are the rules that count on a machine, in the order in which
// systemd-tmpfiles reads them.
type treeRules struct {
	all    []treeRule
	byPath map[string][]treeRule
}

// readRules reads the tree's rules. Lines that systemd-tmpfiles passes over
// are passed over.
func readRules(tree string) (treeRules, error) {
	r := treeRules{byPath: map[string][]treeRule{}}
	files := map[string]string{}
	for _, dir := range slices.Backward(ruleDirs) {
		found, err := layer.Glob(filepath.Join(tree, dir), "*.conf")
		if err != nil {
			return r, err
		}
		for _, f := range found {
			files[filepath.Base(f)] = f
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		text, err := ruleText(tree, files[name])
		if err != nil {
			return r, err
		}
		for line := range strings.SplitSeq(text, "\n") {
			rule, err := format.ParseTmpfiles(line)
			if rule == nil || err != nil {
				continue
			}
			t := treeRule{rule, name, strings.TrimSpace(line)}
			r.all = append(r.all, t)
			r.byPath[rule.Path] = append(r.byPath[rule.Path], t)
		}
	}
	return r, nil
}

// ruleText reads a file of rules. A link to /dev/null is an empty one, and
// hides others as such; links lead to files of the tree.
func ruleText(tree, file string) (string, error) {
	if target, err := os.Readlink(file); err == nil && path.IsAbs(target) {
		file = filepath.Join(tree, target)
	}
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(file)
	return string(text), err
}

// always reports that the rule does what it says at each boot, whatever there is
// on the machine.
func (r treeRule) always() bool {
	return !r.Open && !strings.ContainsAny(r.Modifiers, "^!?")
}

// item is a file, directory or link of /var.
type item struct {
	name   string // absolute
	info   fs.FileInfo
	owner  [2]string // user, group
	target string    // of a link
	path   string    // where its content is
}

// kind is the type of rule that makes such an item.
func (i item) kind() byte {
	switch i.info.Mode().Type() {
	case fs.ModeDir:
		return 'd'
	case fs.ModeSymlink:
		return 'L'
	}
	return 'C'
}

// makes reports whether the rule by itself makes this very item on every machine.
func (r treeRule) makes(i item) bool {
	if !r.always() {
		return false
	}
	switch i.kind() {
	case 'd':
		return r.isDir() && r.sameMode(i, 0o755)
	case 'L':
		return r.Type == 'L' && leadsTo(i.name, r.Argument) == leadsTo(i.name, i.target)
	}
	if strings.IndexByte("fF", r.Type) < 0 || strings.ContainsAny(r.Modifiers, "~") || !r.sameMode(i, 0o644) || i.info.Size() != int64(len(r.Argument)) {
		return false
	}
	text, err := os.ReadFile(i.path)
	return err == nil && string(text) == r.Argument
}

// leadsTo is where a link leads, as an absolute path.
func leadsTo(link, target string) string {
	if path.IsAbs(target) {
		return path.Clean(target)
	}
	return path.Join(path.Dir(link), target)
}

// isDir reports whether the rule makes a directory.
func (r treeRule) isDir() bool { return strings.IndexByte("dDvqQ", r.Type) >= 0 }

// sameMode compares owner and mode.
func (r treeRule) sameMode(i item, usual uint32) bool {
	mode := uint64(usual)
	if text := strings.TrimLeft(r.Mode, ":~"); text != "" {
		var err error
		if mode, err = strconv.ParseUint(text, 8, 32); err != nil || strings.Contains(r.Mode, "~") {
			return false
		}
	}
	same := func(field, want string) bool {
		field = strings.TrimPrefix(field, ":")
		return field == want || (field == "" || field == "0") && want == "root"
	}
	return uint32(mode) == treefs.Permissions(i.info.Mode()) && same(r.User, i.owner[0]) && same(r.Group, i.owner[1])
}

// undoes returns the rule that takes the item away, or changes what is in it,
// at each boot, if there is one.
func (t treeRules) undoes(i item) (rule treeRule, how string) {
	for _, r := range t.all {
		if r.Open || strings.Contains(r.Modifiers, "^") {
			continue
		}
		switch {
		case r.Path == i.name && r.forced() && !r.makes(i):
			return r, "writes it at each boot"
		case strings.IndexByte("rR", r.Type) >= 0 && globMatches(r.Path, i.name, r.Type == 'R'):
			return r, "removes it at each boot"
		case r.Type == 'D' && strings.HasPrefix(i.name, r.Path+"/"):
			return r, "empties the directory at each boot"
		case r.Type == 'C' && strings.HasPrefix(i.name, r.Path+"/"):
			return r, "copies only if nothing exists there, so it no longer does"
		}
	}
	return treeRule{}, ""
}

// forced reports that the rule replaces what is there.
func (r treeRule) forced() bool {
	return r.Type == 'w' || r.Type == 'F' || strings.IndexByte("fLcbp", r.Type) >= 0 && strings.Contains(r.Modifiers, "+")
}

// globMatches reports whether the pattern matches the path, or with below set
// for a directory that it is in.
func globMatches(pattern, name string, below bool) bool {
	for ; name != "/" && name != "."; name = path.Dir(name) {
		if ok, err := path.Match(pattern, name); ok && err == nil {
			return true
		}
		if !below {
			return false
		}
	}
	return false
}
