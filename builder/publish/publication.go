package publish

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/plan"
)

// publication is what is about to be shown.
type publication struct {
	files        []staged
	repositories []*ostree.Staged
	copies       []copied
	// places are where artifacts are now, by name: staged, or published before.
	places map[string]string
}

// staged is a file or directory that is beside the place that it is for.
type staged struct{ tmp, to string }

// beside is where what is to become the file or directory to is staged.
func beside(to string) string {
	return filepath.Join(filepath.Dir(to), "."+filepath.Base(to)+".new")
}

// copied is an artifact that was copied out of the cache, with the sums of its
// files that are known.
type copied struct {
	layer.HandedOut
	known map[string]string
}

// stage notes what is about to be made at the place that it returns.
func (p *publication) stage(to string) (string, error) {
	tmp := beside(to)
	p.files = append(p.files, staged{tmp, to})
	return tmp, os.RemoveAll(tmp)
}

// content stages a file of its own, unless that is what is there already.
func (p *publication) content(content []byte, to string) error {
	if have, err := os.ReadFile(to); err == nil && bytes.Equal(have, content) {
		return nil
	}
	tmp, err := p.stage(to)
	if err != nil {
		return err
	}
	return os.WriteFile(tmp, content, 0o644)
}

// directory stages a directory of files with these contents, unless that is what is there already.
func (p *publication) directory(files map[string][]byte, to string) error {
	entries, err := os.ReadDir(to)
	same := err == nil && len(entries) == len(files)
	for _, e := range entries {
		have, err := os.ReadFile(filepath.Join(to, e.Name()))
		want, ok := files[e.Name()]
		same = same && err == nil && ok && bytes.Equal(have, want)
	}
	if same {
		return nil
	}
	tmp, err := p.stage(to)
	if err == nil {
		err = os.Mkdir(tmp, 0o755)
	}
	for name, content := range files {
		if err == nil {
			err = os.WriteFile(filepath.Join(tmp, name), content, 0o644)
		}
	}
	return err
}

// link stages another name for a file that is beside, or a copy where that
// cannot be.
func (p *publication) link(from, to string) error {
	a, err := os.Lstat(from)
	if err != nil {
		return err
	}
	if b, err := os.Lstat(to); err == nil && os.SameFile(a, b) {
		return nil
	}
	tmp, err := p.stage(to)
	if err != nil {
		return err
	}
	if err := os.Link(from, tmp); err == nil {
		return nil
	}
	if err := layer.Copy(from, tmp); err != nil {
		return fmt.Errorf("publish %s: %w", to, err)
	}
	return nil
}

// Publication gets its names when all of it is staged.
type Publication struct {
	Graph  *plan.Graph
	Store  Store
	Output Output

	*publication
}

// Artifact gives an artifact another name: the path to, a file that is the same
// one or, where that cannot be, a copy.
func (p *Publication) Artifact(name, to string) error { return p.link(p.places[name], to) }

// File makes a file with a content.
func (p *Publication) File(content []byte, to string) error {
	if err := p.content(content, to); err != nil {
		return fmt.Errorf("write %s: %w", to, err)
	}
	return nil
}

// Link makes a symbolic link at the path at.
func (p *Publication) Link(to, at string) error {
	if have, err := os.Readlink(at); err == nil && have == to {
		return nil
	}
	tmp, err := p.stage(at)
	if err == nil {
		err = os.Symlink(to, tmp)
	}
	if err != nil {
		return fmt.Errorf("link %s: %w", at, err)
	}
	return nil
}
