package gardenlinux

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/publish"
)

const (
	// outputKind is the directory of private output for cnames, which may be called
	// as flavours are.
	outputKind = ".targets"
	listSuffix = ".artifacts"
)

// names are those that the Garden Linux builder gives artifacts in the output:
// BASE.EXT, its log BASE.EXT.log, the list BASE.artifacts, and a link to that named
// as the cname was asked for. What earlier commits left there stays.
type names struct {
	// base is CNAME-ARCH-VERSION-COMMIT8.
	base string
	// link is what the cname was called when it was asked for; "" if nobody typed a
	// name.
	link string
	// listed are the extensions of the artifacts that were asked for, in order.
	listed []string
}

// Path implements [publish.Names].
func (n names) Path(o publish.Output, artifact string) string {
	return filepath.Join(o.Root(), n.base+"."+artifact)
}

// Publish implements [publish.Names].
func (n names) Publish(p *publish.Publication) error {
	link := filepath.Join(p.Output.Root(), n.link)
	if n.link != "" {
		if info, err := os.Lstat(link); err == nil && info.Mode().Type() != fs.ModeSymlink {
			return fmt.Errorf("%s should be a link to the list of artifacts, but is something else; move it away", link)
		}
	}
	for _, s := range p.Graph.Steps() {
		for _, a := range s.Artifacts {
			name := n.Path(p.Output, a.Name)
			if err := p.Artifact(a.Name, name); err != nil {
				return err
			}
			log, err := logOf(p.Store, p.Graph, s.ID)
			if err != nil {
				return fmt.Errorf("publish the log of %s: %w", name, err)
			}
			if err := p.File(log, name+".log"); err != nil {
				return err
			}
		}
	}
	var list strings.Builder
	for _, ext := range n.listed {
		fmt.Fprintf(&list, "%s.%s\n%s.%s.log\n", n.base, ext, n.base, ext)
	}
	name := n.base + listSuffix
	if err := p.File([]byte(list.String()), filepath.Join(p.Output.Root(), name)); err != nil || n.link == "" {
		return err
	}
	return p.Link(name, link)
}

// logOf is what was written on the way to a step's result, without what
// went into its tools: the logs of the tree's steps, then the artifacts' it is
// made of, then its own.
func logOf(store publish.Store, g *plan.Graph, id string) ([]byte, error) {
	wanted := map[string]bool{}
	var visit func(id string)
	visit = func(id string) {
		s := g.Step(id)
		if wanted[id] || s.Stage == "packages" || s.Stage == "tools" {
			return
		}
		wanted[id] = true
		for _, in := range g.Requires(id) {
			if in != s.Tools && !slices.Contains(g.Stack(s.Tools), in) || slices.Contains(g.Stack(s.Base), in) {
				visit(in)
			}
		}
	}
	visit(id)
	var log bytes.Buffer
	for _, s := range g.Steps() {
		if !wanted[s.ID] {
			continue
		}
		text, err := store.Log(g.Key(s.ID))
		if errors.Is(err, fs.ErrNotExist) {
			continue // pruned: only the artifact itself must be there
		}
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&log, "--- %s: %s\n", s.ID, s.Title)
		log.Write(text)
	}
	return log.Bytes(), nil
}
