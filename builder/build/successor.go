package build

import (
	"context"
	"path/filepath"

	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/source"
	"github.com/treewright/treewright/builder/stage"
)

// Commit is a commit, and the repository that it is in.
type Commit struct{ Commit, Repo string }

// Successor makes a commit that follows another, of a published build, with the
// files in a directory added. It is kept apart from the flavour's own history.
func (b *Builder) Successor(ctx context.Context, p *Prepared, parent Commit, name, files string, sink event.Sink) (Commit, error) {
	sink = heard(sink)
	next := *p
	next.Graph = p.Graph.Clone()
	step := ""
	err := next.planning(ctx, sink, func() (err error) {
		step, err = stage.PlanSuccessor(next.Graph, stage.Successor{
			Name: name, Files: files, Parent: parent.Commit, Repo: parent.Repo, Sources: source.Snapshots{Root: b.snapshots()},
		})
		return err
	})
	if err != nil {
		return Commit{}, err
	}
	out, err := b.Run(ctx, &next, withoutCached{sink}, []string{step})
	if err != nil {
		return Commit{}, err
	}
	return Commit{out.Results[step].Facts["commit"], filepath.Join(p.Cache.Store.Data(next.Graph.Key(step)), "repo")}, nil
}
