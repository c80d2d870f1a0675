package stage

import (
	"slices"

	"github.com/treewright/treewright/builder/account"
	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/stage/accounts"
	"github.com/treewright/treewright/builder/stage/added"
	"github.com/treewright/treewright/builder/stage/bill"
	"github.com/treewright/treewright/builder/stage/commit"
	"github.com/treewright/treewright/builder/stage/content"
	"github.com/treewright/treewright/builder/stage/extension"
	"github.com/treewright/treewright/builder/stage/image"
	"github.com/treewright/treewright/builder/stage/installed"
	"github.com/treewright/treewright/builder/stage/planner"
	"github.com/treewright/treewright/builder/stage/rootfs"
	"github.com/treewright/treewright/builder/stage/shape"
	"github.com/treewright/treewright/builder/task"
)

// Actions are what the steps of flavours can name.
var Actions = slices.Concat(task.Actions{
	planner.FetchAction, planner.BootstrapAction, planner.InstallAction, planner.UnpackAction,
	rootfs.DebconfAction, rootfs.FilesAction, rootfs.StatAction, rootfs.ExcludeAction, rootfs.ScriptAction, rootfs.PostAction, rootfs.BuildAction, accounts.Action, installed.Action,
	content.AccountsAction, content.SettingsAction,
	commit.ModulesAction, commit.UnnamedAction, commit.InitramfsAction, commit.RawInitramfsAction, shape.Action, commit.Action, commit.DeltasAction, commit.ArchiveAction,
	image.ESPAction, image.DiskAction,
	extension.TreeAction, extension.ImageAction, extension.DDIAction, extension.TogetherAction, bill.Action,
	added.CheckoutAction, added.RestoreAction, added.SecretsAction,
}, image.FormatActions())

// Choices are, by stage and parameter, what the parameters by which a feature tells
// its stage what to make can name.
func Choices() map[string]map[string][]string {
	return map[string]map[string][]string{"image": {image.FormatsParameter: image.FormatNames()}}
}

// Plan returns the steps of a flavour.
//
// Its accounts keep the numbers that they had in the newest commit. But if a
// plan with those of the commit before gives the newest one, as its own result,
// then it is that plan: a build without a change is to find what it made.
func Plan(r planner.Request) (*plan.Graph, error) {
	own := false
	if r.History.Head != "" && !r.History.Before.Equal(r.History.Accounts) {
		g, c, err := planWith(r, r.History.Before, false)
		if err != nil || c.Found {
			return g, err
		}
		own = c.Own
	}
	g, _, err := planWith(r, r.History.Accounts, own)
	return g, err
}

func planWith(r planner.Request, ledger account.Ledger, own bool) (*plan.Graph, planner.Commit, error) {
	p := &planner.Planner{Request: r, Ledger: ledger.Merge(r.Accounts), Follows: !ledger.Empty(), Own: own}
	c, err := planStages(p)
	return &p.Graph, c, err
}

// planStages plans all stages: each is given what it needs of those before it,
// as the value that they return.
func planStages(p *planner.Planner) (planner.Commit, error) {
	system, err := rootfs.Plan(p)
	if err != nil {
		return planner.Commit{}, err
	}
	return p.Method.Above(p, system)
}

// flavourStages plans the stages of flavours above the system's tree.
func flavourStages(p *planner.Planner, system planner.System) (planner.Commit, error) {
	c, err := commit.Plan(p, system)
	if err != nil {
		return c, err
	}
	if err := image.Plan(p, c); err != nil {
		return c, err
	}
	if err := extension.Plan(p, c); err != nil {
		return c, err
	}
	return c, bill.Plan(p, c)
}

// Flavours is how systems of flavours are made.
func Flavours() planner.Method {
	return planner.Method{
		Prepared: func(_ *planner.Planner, tip string) (string, error) { return tip, nil },
		Above:    flavourStages, Script: rootfs.Script,
		Needs: func(spec *compose.Spec) []planner.Need {
			return slices.Concat(commit.Needs(spec), image.Needs(spec), extension.Needs(spec))
		},
		Identified: true, Accounts: true, Watch: true, Grouped: true,
	}
}
