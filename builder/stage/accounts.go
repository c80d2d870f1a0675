package stage

import (
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/stage/accounts"
)

// accounts plans the step between packages and files: it makes the accounts
// that the features declare, so that files can be theirs, and gives all accounts
// the numbers that they have had before.
func (p *Planner) accounts(c composition, tip string) (string, error) {
	if !p.Recipe.Follows {
		return tip, nil
	}
	params := accounts.Params{Ledger: p.ledger, Follows: p.follows}
	step := plan.Step{
		ID: c.stage + "/accounts", Stage: c.stage, Title: "make the features' accounts and keep all numbers",
		Base: tip, Output: plan.Layer, MemoryMiB: 128,
	}
	if c.name != "system" {
		step.ID = c.stage + "/" + c.name + "/accounts"
	}
	made := false
	for _, f := range c.features {
		made = made || f.Scripts["exec.accounts"]
		if !accounts.Declares(p.FeatureDir(f)) {
			continue
		}
		src, err := p.Sources.Import("features/"+f.Name, p.FeatureDir(f), accounts.Pick)
		if err != nil {
			return "", err
		}
		params.Features = append(params.Features, f.Name)
		step.Sources = append(step.Sources, src)
	}
	if !made && len(params.Features) == 0 && params.Ledger.Empty() {
		return tip, nil
	}
	return p.Add(accounts.Action.Step(params, step))
}

// settleAccounts plans the last word on accounts, when no feature's script can
// make any more.
func (p *Planner) settleAccounts(tree string) (string, error) {
	return p.Add(accounts.Action.Step(accounts.Params{Ledger: p.ledger, Follows: p.follows, Write: true}, plan.Step{
		ID: "commit/accounts", Stage: "commit", Title: "write down all accounts with their numbers",
		Base: tree, Output: plan.Layer, MemoryMiB: 128,
	}))
}
