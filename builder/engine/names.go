package engine

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
)

// Names are those by which users know what is published.
type Names interface {
	// Path is where an artifact, as the manifest calls it, is for users.
	Path(o Output, artifact string) string
	// Publish gives what is published in the public directory further names.
	Publish(p *Publication) error
}

// OwnDirectory are the names of what is published in a directory of its own.
type OwnDirectory struct{}

// Path implements [Names].
func (OwnDirectory) Path(o Output, artifact string) string { return filepath.Join(o.Public, artifact) }

// Publish implements [Names].
func (OwnDirectory) Publish(*Publication) error { return nil }

// names are those of the run's artifacts.
func (f *Finished) names() Names {
	if f.Names == nil {
		return OwnDirectory{}
	}
	return f.Names
}

// Publication gets its names when all of it is staged.
type Publication struct {
	Graph  *plan.Graph
	Store  *layer.Store
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
