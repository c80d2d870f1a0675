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

// publication has the files that are about to be published.
type publication struct {
	files        []staged
	repositories []*ostree.Staged
	copies       []copied
	// places are the current paths of artifacts, by name: staged, or published before.
	places map[string]string
}

// staged is a file or directory beside its later path.
type staged struct{ tmp, to string }

// beside is the staging path of the file or directory to.
func beside(to string) string {
	return filepath.Join(filepath.Dir(to), "."+filepath.Base(to)+".new")
}

// copied is an artifact that was copied out of the cache, with the known sums of its
// files.
type copied struct {
	layer.HandedOut
	known map[string]string
}

// stage notes a file or directory that the caller makes at the returned path.
func (p *publication) stage(to string) (string, error) {
	tmp := beside(to)
	p.files = append(p.files, staged{tmp, to})
	return tmp, os.RemoveAll(tmp)
}

// content stages a file with this content, unless the current file has it already.
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

// directory stages a directory of files with these contents, unless the current directory has them already.
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

// link stages another name for a file that is beside, or a copy if a link
// is not possible.
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

// Publication gives the staged files of an output their names when all are staged.
type Publication struct {
	Graph  *plan.Graph
	Store  Store
	Output Output

	*publication
}

// Artifact gives an artifact another name: the path to, a hard link
// or, if that is not possible, a copy.
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
