package engine

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
)

// TargetNames is how the files of a target are called.
type TargetNames struct {
	// Base begins the names of all of them: CNAME-ARCH-VERSION-COMMIT8.
	Base string
	// Link is what the target was called when it was asked for; "" if nobody
	// typed a name.
	Link string
	// Listed are the extensions of the artifacts that were asked for, in order.
	Listed []string
}

// target stages the artifacts of a target for the folder output, under the names
// that the Garden Linux builder gives them: BASE.EXT, its log BASE.EXT.log, the
// list BASE.artifacts, and a link to that named as the target was asked for. What
// earlier commits left there stays. The artifacts are further names of what is
// published in private.
func (p *publication) target(store *layer.Store, g *plan.Graph, out Output, names TargetNames) error {
	output := out.root
	link := filepath.Join(output, names.Link)
	if names.Link != "" {
		if info, err := os.Lstat(link); err == nil && info.Mode().Type() != fs.ModeSymlink {
			return fmt.Errorf("%s is to become a link to the list of artifacts, but is there as something else; move it away", link)
		}
	}
	for _, s := range g.Steps() {
		for _, a := range s.Artifacts {
			name := filepath.Join(output, names.Base+"."+a.Name)
			if err := p.link(p.places[a.Name], name); err != nil {
				return err
			}
			log, err := targetLog(store, g, s.ID)
			if err != nil {
				return fmt.Errorf("publish the log of %s: %w", name, err)
			}
			if err := p.content(log, name+".log"); err != nil {
				return fmt.Errorf("write %s: %w", name+".log", err)
			}
		}
	}
	var list strings.Builder
	for _, ext := range names.Listed {
		fmt.Fprintf(&list, "%s.%s\n%s.%s.log\n", names.Base, ext, names.Base, ext)
	}
	name := names.Base + ".artifacts"
	if err := p.content([]byte(list.String()), filepath.Join(output, name)); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if have, err := os.Readlink(link); names.Link != "" && (err != nil || have != name) {
		tmp, err := p.stage(link)
		if err == nil {
			err = os.Symlink(name, tmp)
		}
		if err != nil {
			return fmt.Errorf("link %s: %w", link, err)
		}
	}
	return nil
}

// targetLog is what was written on the way to a step's result, without what
// went into its tools: the logs of the tree's steps, then the artifacts' it is
// made of, then its own.
func targetLog(store *layer.Store, g *plan.Graph, id string) ([]byte, error) {
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
		text, err := os.ReadFile(store.Log(g.Key(s.ID)))
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
