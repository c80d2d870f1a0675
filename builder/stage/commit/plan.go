package commit

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/stage/accounts"
	"github.com/treewright/treewright/builder/stage/lint"
	"github.com/treewright/treewright/builder/stage/planner"
	"github.com/treewright/treewright/builder/stage/program"
	"github.com/treewright/treewright/builder/stage/shape"
	"github.com/treewright/treewright/builder/task"
)

// Plan plans the stage that turns the system's tree into a commit of an
// OSTree repository.
func Plan(p *planner.Planner, system planner.System) (planner.Commit, error) {
	c := planner.Commit{System: system.Tree, Tree: system.Tree}
	names, ok := Names(p.Spec)
	if !ok {
		return c, nil
	}
	tools, err := p.ToolsLayer(distro.ForCommit)
	if err != nil {
		return c, err
	}
	if c.System, err = settleAccounts(p, system.Tree); err != nil {
		return c, err
	}
	if c.Tree, err = planTree(p, c.System, system.Origins); err != nil {
		return c, err
	}
	if err := addCommit(p, &c, names, tools); err != nil {
		return c, err
	}
	if err := planDeltas(p, c, names, tools); err != nil {
		return c, err
	}
	if err := planArchive(p, c, names); err != nil {
		return c, err
	}
	return c, planPool(p)
}

// planTree adds the steps that give the system's tree the shape of a commit.
func planTree(p *planner.Planner, system string, from planner.OriginSteps) (string, error) {
	modules, err := planModules(p, system)
	if err != nil {
		return "", err
	}
	unnamed, err := p.Add(UnnamedAction.Step(struct{}{}, plan.Step{
		ID: "commit/unnamed", Stage: "commit", Title: "leave out what names the build, for the initramfs", Base: modules, Output: plan.Layer, MemoryMiB: 64,
	}))
	if err != nil {
		return "", err
	}
	action := InitramfsAction
	if asks(p.Spec, rawInitramfsParameter) {
		action = RawInitramfsAction
	}
	initramfs, err := p.Add(action.Step(struct{}{}, plan.Step{
		ID: "commit/initramfs", Stage: "commit", Title: "make the initramfs", Base: unnamed, Output: plan.Layer,
	}))
	if err != nil {
		return "", err
	}
	tip, err := planKeys(p, initramfs)
	if err != nil {
		return "", err
	}
	if tip, err = program.Plan(p, tip); err != nil {
		return "", err
	}
	inputs := from.Inputs()
	inputs[shape.Named] = modules
	return p.Add(shape.Action.Step(shape.Params{
		Secrets: lint.AllowedSecrets(p.Spec, p.Spec.Composed()),
		HTTPS:   lint.ChecksCertificates(p.Parameter(p.Spec.StageFeature("commit"), "remote_url").String()),
	}, plan.Step{
		ID: "commit/tree", Stage: "commit", Title: "bring the tree into OSTree's shape and check it",
		Base: tip, Inputs: inputs, Output: plan.Layer,
	}))
}

// recipeOf describes what a commit of a tree is made of. It is in the commit, whose bytes are
// the same whatever machine's tools made it, and in whatever cache.
func recipeOf(p *planner.Planner, tree string, params Params) (string, error) {
	key, err := p.Graph.KeyAnywhere(tree)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(append([]byte(key), Action.Step(params, plan.Step{}).Params...))
	return hex.EncodeToString(sum[:]), nil
}

// addCommit adds the step that commits the tree.
func addCommit(p *planner.Planner, c *planner.Commit, names ostree.Names, tools string) error {
	var features []string
	for _, f := range p.Spec.Features {
		features = append(features, f.Name)
	}
	f := p.Spec.StageFeature("commit")
	params := Params{
		OSName: names.OSName, Ref: names.Ref, Subject: p.Parameter(f, "subject").String(),
		Metadata: map[string]string{
			FlavourKey:  p.Spec.Flavour.Name,
			FeaturesKey: strings.Join(features, " "),
		},
	}
	recipe, err := recipeOf(p, c.Tree, params)
	if err != nil {
		return err
	}
	params.Metadata[ostree.RecipeKey] = recipe

	step := func(parent string, hints Hints) plan.Step {
		params.Parent = parent
		s := Action.Step(params, plan.Step{
			ID: "commit/commit", Stage: "commit", Title: "commit the tree to " + names.Ref, Tools: tools, Inputs: map[string]string{"tree": c.Tree}, Output: plan.Dir, MemoryMiB: 768,
			Hints:     task.EncodeHints(hints),
			Artifacts: []plan.Artifact{repositoryOf(names)},
		})
		if parent != "" || len(p.History.Others) > 0 {
			s.Sources = []plan.Source{{Name: "history", Digest: p.History.Digest(names.Ref, parent), Path: p.History.Repo}}
		}
		return p.Placed(s)
	}
	// If the newest commit is this step's own result, which is there, the step is
	// the same one as then: its parent is that one's. A newest commit that this
	// recipe made and that is not at hand is a parent like any other. It stays the
	// newest one if the tree is the same, and is never made again in its place:
	// that gives another commit where a step gives other bytes each time.
	c.Own = p.Own || p.History.Head != "" && p.History.Recipe == params.Metadata[ostree.RecipeKey]
	if c.Own && p.Made != nil {
		mine := step(p.History.Parent, Hints{})
		key, err := p.Graph.KeyOf(mine)
		if err != nil {
			return err
		}
		if p.Made(key) == p.History.Head {
			c.Found = true
			c.Repo, err = p.Add(mine)
			return err
		}
	}
	var bad []string
	if p.History.Checked != nil {
		for _, d := range p.History.Checked.Bad {
			bad = append(bad, d.Object)
		}
	}
	// A recipe is the same one with another secret, which can be why a tree is another.
	again := c.Own && !slices.ContainsFunc(p.Graph.Steps(), func(s *plan.Step) bool { return len(s.Secrets) > 0 })
	c.Repo, err = p.Add(step(p.History.Head, Hints{Bad: bad, Again: again}))
	return err
}

// AccountsStep is the ID of the step whose tree has all accounts of the commit.
const AccountsStep = "commit/accounts"

// settleAccounts plans the last word on accounts, when no feature's script can
// make any more.
func settleAccounts(p *planner.Planner, tree string) (string, error) {
	return p.Add(accounts.Action.Step(accounts.Params{Ledger: p.Ledger, Follows: p.Follows, Write: true}, plan.Step{
		ID: AccountsStep, Stage: "commit", Title: "write down all accounts with their numbers",
		Base: tree, Output: plan.Layer, MemoryMiB: 128,
	}))
}
