package build

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/treewright/treewright/builder/format"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/stage/machine"
)

// Committed is where a commit has a file.
type Committed struct {
	// Commit is the last published one of the flavour, "" if there is none.
	Commit string `json:"commit,omitempty"`
	// Paths are where it has the file, and Rules the tmpfiles.d(5) rules that make it on a
	// machine, as FILE: RULE.
	Paths []string `json:"committed,omitempty"`
	Rules []string `json:"rules,omitempty"`
	// Lost is why the commit does not have the file.
	Lost string `json:"lost,omitempty"`
	// Older reports whether the layers are not those that the commit was made of.
	Older bool `json:"older_commit,omitempty"`
}

// committed finds a file, by its path in layers, in the last published commit.
func (l *Layers) committed(name string) (Committed, error) {
	var c Committed
	tree, ok, err := l.tree()
	if err != nil || !ok {
		return c, err
	}
	c.Commit = l.manifest.Commit
	keys := l.manifest.Keys()
	for _, s := range l.steps {
		c.Older = c.Older || s.Tree && keys[s.ID] != s.Key
	}
	db := l.distro.Database()
	candidates := machine.Committed(name)
	if rest, ok := strings.CutPrefix(name, "/"+db.Dir()+"/"); ok {
		candidates = []string{path.Join(db.CommittedDir(), rest)}
	}
	for _, at := range candidates {
		_, err := tree.Lookup(at)
		if err == nil {
			c.Paths = append(c.Paths, "/"+at)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return c, err
		}
	}
	if c.Rules, err = rulesFor(tree, machine.BehindLinks(name)); err != nil {
		return c, err
	}
	if len(c.Paths)+len(c.Rules) == 0 {
		c.Lost = whyLost(name)
	}
	return c, nil
}

// tree is that of the last published commit; false if there is none.
func (l *Layers) tree() (ostree.Tree, bool, error) {
	if l.manifest == nil || l.manifest.Commit == "" || l.manifest.Repository() == "" {
		return ostree.Tree{}, false, nil
	}
	repo, err := ostree.Open(l.builder.Artifact(l.subject, l.manifest.Repository()))
	if errors.Is(err, fs.ErrNotExist) {
		return ostree.Tree{}, false, nil // somebody removed it
	}
	if err != nil {
		return ostree.Tree{}, false, err
	}
	c, err := repo.Commit(l.manifest.Commit)
	if err != nil {
		return ostree.Tree{}, false, fmt.Errorf("read the last commit: %w", err)
	}
	return ostree.TreeOf(repo, c), true, nil
}

// rulesFor are the rules of a commit for a path of a machine.
func rulesFor(tree ostree.Tree, name string) ([]string, error) {
	const dir, largest = "usr/lib/tmpfiles.d", 4 << 20
	if !strings.HasPrefix(name, "/var/") {
		return nil, nil
	}
	files, err := tree.Names(dir)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, file := range files {
		if !strings.HasSuffix(file, ".conf") {
			continue
		}
		text, err := tree.ReadFile(path.Join(dir, file), largest)
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				continue // a link to /dev/null
			}
			return nil, err
		}
		for line := range strings.Lines(string(text)) {
			if r, err := format.ParseTmpfiles(line); err == nil && r != nil && r.Path == name {
				found = append(found, "/"+path.Join(dir, file)+": "+strings.TrimSpace(line))
			}
		}
	}
	return found, nil
}

// whyLost is why a commit does not have a file that layers have or had.
func whyLost(name string) string {
	switch first, _, _ := strings.Cut(strings.TrimPrefix(name, "/"), "/"); first {
	case "boot":
		return "/boot of a commit is empty; the kernel is beside its modules"
	case "tmp", "run", "proc", "sys", "dev", "sysroot", "efi", "media":
		return "/" + first + " of a commit is empty"
	case "var":
		return "what packages leave in /var and no machine needs is left out"
	}
	return ""
}
