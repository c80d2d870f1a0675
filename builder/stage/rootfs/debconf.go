package rootfs

import (
	"context"
	"fmt"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/task"
)

type debconfParams struct {
	Feature string `json:"feature"`
}

// DebconfAction answers the questions of packages that are to be installed.
var DebconfAction = task.Define("debconf", 1, answerQuestions).Small()

// answerQuestions gives a feature's answers to the tree's debconf. The answers are
// not in the log: they can be passwords.
func answerQuestions(ctx context.Context, t *task.Task, p debconfParams) error {
	err := t.WithSources(func() error {
		return t.InTree(ctx, "debconf-set-selections", task.ToolSource+"/features/"+p.Feature+"/debconf")
	})
	if err != nil {
		return fmt.Errorf("debconf of %s: %w", p.Feature, err)
	}
	return nil
}

// debconf plans the answers of a feature.
func (p composer) debconf(c Composition, f *config.Feature, tip string) (string, error) {
	if len(f.Debconf) == 0 {
		return tip, nil
	}
	src, err := p.Sources.ImportOnly("features/"+f.Name, p.FeatureDir(f), "debconf")
	if err != nil {
		return "", err
	}
	return p.Add(DebconfAction.Step(debconfParams{Feature: f.Name}, plan.Step{
		ID: c.id("debconf", f), Stage: c.Stage, Title: "answer questions of packages for " + f.Name,
		Base: tip, Sources: []plan.Source{src}, Output: plan.Layer, MemoryMiB: 128,
	}))
}
