package lint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/stage/machine"
	"github.com/treewright/treewright/builder/task"
)

// AllowedSecret is a secret that a feature brings on purpose.
type AllowedSecret struct {
	Path    string `json:"path"`
	Feature string `json:"feature"`
	// Lent reports that the feature's scripts are lent secrets, which the file may have:
	// nothing but their own steps can recognize them.
	Lent bool `json:"lent,omitempty"`
}

// AllowedSecrets are those of some features of a spec, for a step's parameters.
func AllowedSecrets(spec *compose.Spec, features []*config.Feature) []AllowedSecret {
	var allowed []AllowedSecret
	for _, f := range features {
		lent := len(spec.SecretsOf(f)) > 0
		for _, s := range f.Secrets {
			allowed = append(allowed, AllowedSecret{Path: s.Text, Feature: f.Name, Lent: lent})
		}
	}
	return allowed
}

// secretLint finds what every machine made from a tree would share, and
// everyone who can pull it would know.
type secretLint struct {
	tree     string // what leaves
	packages distro.Database
	dir      string // the directory of the package database
	allowed  []AllowedSecret
	// warn is called with secrets that are meant to be there; report with all others.
	warn, report func(format string, args ...any)

	found   []string // the paths of what was reported
	shipped func(content []byte) bool
}

// run goes through the tree. Only an error of reading it is returned.
func (l *secretLint) run() error {
	met := map[string]bool{}
	files, err := l.read()
	for _, f := range files {
		if err == nil {
			err = l.judge(f, met)
		}
	}
	for _, a := range l.allowed {
		if err == nil && !met[a.Path] {
			l.warn("feature %s names %s among its secrets, but there is no secret at that place", a.Feature, a.Path)
		}
	}
	return err
}

// suspect is a file, and what secret it is, "" for none.
type suspect struct {
	path, what string
	content    []byte
}

// read looks into all files, on all cores, and returns them in the order of a walk.
func (l *secretLint) read() ([]suspect, error) {
	var files []suspect
	err := filepath.WalkDir(l.tree, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files = append(files, suspect{path: path})
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return files, layer.OnAllCores(len(files), func(i int) (err error) {
		f := &files[i]
		rel, err := filepath.Rel(l.tree, f.path)
		if err != nil {
			return err
		}
		file := f.path
		f.path = machine.Path(rel)
		f.what, f.content, err = secretIn(file, f.path)
		return err
	})
}

// judge reports a file that is a secret.
func (l *secretLint) judge(f suspect, met map[string]bool) error {
	i := slices.IndexFunc(l.allowed, func(a AllowedSecret) bool { return a.Path == f.path })
	if f.what == "" && i >= 0 && l.allowed[i].Lent {
		f.what = "a file that scripts may have left a secret in"
	}
	if f.what == "" {
		return nil
	}
	if i >= 0 {
		met[f.path] = true
		l.warn("%s is %s, and everyone who gets the system can read it: feature %s lists it in secrets", f.path, f.what, l.allowed[i].Feature)
		return nil
	}
	if public, err := l.isShipped(f.content); err != nil || public {
		return err
	}
	l.found = append(l.found, f.path)
	l.report("%s is %s, and would be the same on all machines: %s", f.path, f.what, l.origin(f.path))
	return nil
}

// Extension looks for secrets in what leaves with an extension.
func Extension(out string, t *task.Task, allowed []AllowedSecret) error {
	var faults []string
	db := t.Distro.Database()
	l := secretLint{tree: out, packages: db, dir: filepath.Join(t.Tree, db.Dir()), allowed: allowed, warn: t.Warn,
		report: func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }}
	if err := l.run(); err != nil {
		return fmt.Errorf("look for secrets: %w", err)
	}
	if len(faults) > 0 {
		return &diag.OfPaths{Paths: l.found, Err: errors.New("this extension would publish secrets:\n  " + strings.Join(faults, "\n  ") + secretAdvice)}
	}
	return nil
}

// secretIn reads a file, and returns what secret it is, and its content then.
func secretIn(path, name string) (what string, content []byte, err error) {
	info, err := os.Lstat(path)
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
	if what = config.Secret(name, content); what == "" {
		content = nil
	}
	return what, content, nil
}

// isShipped reports whether a package has a file of this content: then the secret
// is not a secret, as anybody can download it.
func (l *secretLint) isShipped(content []byte) (bool, error) {
	if l.shipped == nil {
		var err error
		if l.shipped, err = l.packages.Shipped(l.dir); err != nil {
			return false, err
		}
	}
	return l.shipped(content), nil
}

// secretAdvice is what can be done about what is reported.
const secretAdvice = "\nTo keep a secret out, remove it in exec.accounts, before features' files are copied, or where it is made, and let a unit make " +
	"another at the first boot, as features/base/first-boot does. If everybody may read it, write secrets: [PATH] to the feature's info.yaml"

// origin describes where a secret seems to come from, as the end of a sentence.
func (l *secretLint) origin(name string) string {
	if packages := l.makers(name); len(packages) > 0 {
		return "made when the package " + strings.Join(packages, " or ") + " was installed"
	}
	return "no package mentions it, so a feature made or copied it"
}

// makers are the packages whose scripts name a file, or else those that own the
// nearest directory that is not everybody's.
func (l *secretLint) makers(name string) []string {
	for _, what := range []string{name, filepath.Dir(name) + "/", filepath.Base(name)} {
		by := l.packages.Makers(l.dir, func(text string) bool { return strings.Contains(text, what) })
		if len(by) > 0 && len(by) <= mostMakers {
			return by
		}
	}
	by := l.packages.Owners(l.dir, filepath.Dir(name))
	if len(by) > mostMakers {
		return nil
	}
	return by
}

// mostMakers is how many packages are worth naming: of more, none is to blame.
const mostMakers = 3
