package build

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/used"
)

// Changes are the flavours that differ between a revision and the tree as it is.
type Changes struct {
	// Changed are the flavours whose outlines differ, and those that the revision does not
	// have, with the reason by name.
	Changed map[string]string
	// Removed are the flavours that only the revision has.
	Removed []string
	// Notes describe flavours that could not be compared. They count as changed.
	Notes []string
}

// ChangedSince compares the outlines of a project's flavours with those in a revision of the
// git repository that the tree is in. Files that are not committed count as they are.
func (b *Builder) ChangedSince(ctx context.Context, p *config.Project, now []*Outline, rev string) (*Changes, error) {
	r, err := used.FindRevision(ctx, b.options.Tree, rev)
	if err != nil {
		return nil, err
	}
	copied, err := os.MkdirTemp("", "treewright-revision-*")
	if err != nil {
		return nil, fmt.Errorf("make a directory for revision %s: %w", rev, err)
	}
	defer os.RemoveAll(copied)
	if err := r.Copy(ctx, copied); err != nil {
		return nil, err
	}
	c := &Changes{Changed: map[string]string{}}
	before, err := b.earlier(r, copied)
	if err != nil {
		why := "the tree cannot be read at " + rev
		c.Notes = append(c.Notes, fmt.Sprintf("%s, so all flavours count as changed: %s", why, gist(err)))
		for _, o := range now {
			c.Changed[o.Name] = why
		}
		return c, nil
	}
	defer before.close()
	there, here := flavourNames(before.project), flavourNames(p)
	var both []string
	for _, o := range now {
		if name := o.Name; slices.Contains(there, name) {
			both = append(both, name)
		} else {
			c.Changed[name] = "new"
		}
	}
	c.Removed = slices.DeleteFunc(there, func(name string) bool { return slices.Contains(here, name) })
	earlier, faults := before.all(ctx, both)
	for _, o := range now {
		name := o.Name
		if err := faults[name]; err != nil {
			why := "it cannot be planned at " + rev
			c.Notes = append(c.Notes, fmt.Sprintf("%s counts as changed, because %s: %s", name, why, gist(err)))
			c.Changed[name] = why
		} else if i := slices.Index(both, name); i >= 0 {
			if why, err := differs(earlier[i].Graph, o.Graph); err != nil {
				return nil, err
			} else if why != "" {
				c.Changed[name] = why
			}
		}
	}
	return c, ctx.Err()
}

// earlier prepares the outlines of the tree as it was in a revision that has been copied.
func (b *Builder) earlier(r used.Revision, copied string) (*outliner, error) {
	o := b.options
	o.Tree, o.Copy, o.Original = filepath.Join(copied, r.Below), copied, r.Top
	was, err := Open(o)
	if err != nil {
		return nil, err
	}
	p, _, err := was.Load()
	if err != nil {
		return nil, err
	}
	return was.outliner(p)
}

// flavourNames are the names of a project's flavours.
func flavourNames(p *config.Project) []string {
	var names []string
	for _, f := range p.Flavours {
		names = append(names, f.Name)
	}
	return names
}

// differs returns a description of the first difference between two plans, "" if they are equal.
func differs(before, now *plan.Graph) (string, error) {
	for _, s := range now.Steps() {
		if old := before.Step(s.ID); old != nil && before.Key(s.ID) == now.Key(s.ID) {
			continue
		}
		record, err := before.Record()
		if err != nil {
			return "", err
		}
		return s.ID + ": " + now.Why(s.ID, record), nil
	}
	for _, s := range before.Steps() {
		if now.Step(s.ID) == nil {
			return s.ID + ": removed", nil
		}
	}
	return "", nil
}
