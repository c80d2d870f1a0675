package lint

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/stage/machine"
	"github.com/treewright/treewright/builder/task"
)

// AllowedSecret is a secret that a feature brings on purpose.
type AllowedSecret struct {
	Path    string `json:"path"`
	Feature string `json:"feature"`
}

// AllowedSecrets are those of some features, for a step's parameters.
func AllowedSecrets(features []*config.Feature) []AllowedSecret {
	var allowed []AllowedSecret
	for _, f := range features {
		for _, s := range f.Secrets {
			allowed = append(allowed, AllowedSecret{Path: s.Text, Feature: f.Name})
		}
	}
	return allowed
}

// secretLint finds what every machine made from a tree would share, and
// everyone who can pull it would know.
type secretLint struct {
	// tree is what leaves, dpkg the package database of what is in it.
	tree, dpkg string
	allowed    []AllowedSecret
	// warn is told of secrets that are meant; report of all others.
	warn, report func(format string, args ...any)

	found   bool            // something was reported
	shipped map[string]bool // the MD5 sums of packages' files, in hexadecimal
}

// run goes through the tree. Only an error of reading it is returned.
func (l *secretLint) run() error {
	met := map[string]bool{}
	err := filepath.WalkDir(l.tree, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		rel, err := filepath.Rel(l.tree, path)
		if err != nil {
			return err
		}
		what, content, err := secretIn(path, machine.Path(rel), d)
		if err != nil || what == "" {
			return err
		}
		name := machine.Path(rel)
		if i := slices.IndexFunc(l.allowed, func(a AllowedSecret) bool { return a.Path == name }); i >= 0 {
			met[name] = true
			l.warn("%s is %s, and everyone who gets the system can read it: feature %s says that it is meant", name, what, l.allowed[i].Feature)
			return nil
		}
		if public, err := l.isShipped(content); err != nil || public {
			return err
		}
		l.found = true
		l.report("%s is %s, and would be the same on all machines: %s", name, what, l.origin(name))
		return nil
	})
	for _, a := range l.allowed {
		if err == nil && !met[a.Path] {
			l.warn("feature %s names %s among its secrets, but there is no secret at that place", a.Feature, a.Path)
		}
	}
	return err
}

// Extension looks for secrets in what leaves with an extension.
func Extension(out string, t *task.Task, allowed []AllowedSecret) error {
	var faults []string
	l := secretLint{tree: out, dpkg: filepath.Join(t.Tree, "var/lib/dpkg"), allowed: allowed, warn: t.Warn,
		report: func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }}
	if err := l.run(); err != nil {
		return fmt.Errorf("look for secrets: %w", err)
	}
	if len(faults) > 0 {
		return errors.New("this extension would give secrets away:\n  " + strings.Join(faults, "\n  ") + secretAdvice)
	}
	return nil
}

// secretIn reads a file and says what secret it is.
func secretIn(path, name string, d fs.DirEntry) (what string, content []byte, err error) {
	info, err := d.Info()
	if err != nil {
		return "", nil, err
	}
	// What Python compiled has the strings of the source beside it, which is
	// looked at itself.
	if info.Size() == 0 || info.Size() > config.MostSecret || strings.HasSuffix(name, ".pyc") {
		return "", nil, nil
	}
	if content, err = os.ReadFile(path); err != nil {
		return "", nil, err
	}
	return config.Secret(name, content), content, nil
}

// isShipped says whether a package has a file of this content: then the secret
// is none, as anybody can download it. The package's own list of sums is all
// there is to go by, and they are MD5.
func (l *secretLint) isShipped(content []byte) (bool, error) {
	if l.shipped == nil {
		l.shipped = map[string]bool{}
		lists, err := layer.Glob(l.dpkg, "info/*.md5sums")
		if err != nil {
			return false, err
		}
		for _, list := range append(lists, filepath.Join(l.dpkg, "status")) {
			text, err := os.ReadFile(list)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return false, err
			}
			l.note(string(text), list)
		}
	}
	sum := md5.Sum(content)
	return l.shipped[hex.EncodeToString(sum[:])], nil
}

// note takes in the sums of a list, "SUM  PATH" a line, or those of
// configuration files in the status file, " PATH SUM".
func (l *secretLint) note(text, list string) {
	for _, line := range strings.Split(text, "\n") {
		fields := strings.Fields(line)
		if strings.HasSuffix(list, ".md5sums") {
			if len(fields) >= 2 {
				l.shipped[fields[0]] = true
			}
		} else if strings.HasPrefix(line, " /") && len(fields) >= 2 && len(fields[1]) == 2*md5.Size {
			l.shipped[fields[1]] = true
		}
	}
}

// secretAdvice is what can be done about what is reported.
const secretAdvice = "\nTo keep a secret out, remove it in exec.accounts, before features' files are copied, or where it is made, and let a unit make " +
	"another on first boot, as features/base/first-boot does. If it is meant for everybody, let the feature's info.yaml say secrets: [PATH]"

// origin says where a secret seems to come from, as the end of a sentence.
func (l *secretLint) origin(name string) string {
	if packages := l.makers(name); len(packages) > 0 {
		return "made when the package " + strings.Join(packages, " or ") + " was installed"
	}
	return fmt.Sprintf("no package mentions it, so a script of a feature made or copied it (./build why FLAVOUR %s names the step)", name)
}

// makers are the packages whose scripts name a file, or else those that own the
// nearest directory that is not everybody's.
func (l *secretLint) makers(name string) []string {
	info := filepath.Join(l.dpkg, "info")
	for _, what := range []string{name, filepath.Dir(name) + "/", filepath.Base(name)} {
		by := machine.PackagesWith(info, "*.postinst", func(text string) bool { return strings.Contains(text, what) })
		if len(by) > 0 && len(by) <= mostMakers {
			return by
		}
	}
	by := machine.PackagesWith(info, "*.list", func(text string) bool { return slices.Contains(strings.Split(text, "\n"), filepath.Dir(name)) })
	if len(by) > mostMakers {
		return nil
	}
	return by
}

// mostMakers is how many packages are worth naming: of more, none is to blame.
const mostMakers = 3
