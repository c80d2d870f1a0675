package rootfs

import (
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/stage/accounts"
	"github.com/treewright/treewright/builder/stage/content"
)

// accounts plans the step between packages and files: it makes the accounts
// that the features declare, so that files can be theirs, and gives all accounts
// the numbers that they have had before.
func (p composer) accounts(c Composition, tip string) (string, error) {
	if !p.Method.Accounts {
		return tip, nil
	}
	params := accounts.Params{Ledger: p.Ledger, Follows: p.Follows}
	step := plan.Step{
		ID: c.Stage + "/accounts", Stage: c.Stage, Title: "make the features' accounts and keep all numbers",
		Base: tip, Output: plan.Layer, MemoryMiB: 128,
	}
	if c.Name != "system" {
		step.ID = c.Stage + "/" + c.Name + "/accounts"
	}
	made := false
	if c.Name == "system" {
		var err error
		if tip, err = content.PlanAccounts(p.Planner, tip); err != nil {
			return "", err
		}
		made, step.Base = tip != step.Base, tip
		params.Users, params.Groups = fixedNumbers(&p.Spec.Flavour.Content)
	}
	for _, f := range c.Features {
		made = made || f.Scripts["exec.accounts"]
		declared, err := p.declared(f)
		if err != nil {
			return "", err
		}
		if len(declared) > 0 {
			params.Features = append(params.Features, f.Name)
			step.Sources = append(step.Sources, declared...)
		}
	}
	if !made && len(params.Features) == 0 && params.Ledger.Empty() {
		return tip, nil
	}
	return p.Add(accounts.Action.Step(params, step))
}

// declared are the sources of a feature's sysusers.d files.
func (p composer) declared(f *config.Feature) ([]plan.Source, error) {
	var sources []plan.Source
	if f.Dir != "" && accounts.Declares(p.FeatureDir(f)) {
		src, err := p.Sources.Import("features/"+f.Name, p.FeatureDir(f), accounts.Pick)
		if err != nil {
			return nil, err
		}
		sources = append(sources, src)
	}
	var generated []config.Generated
	for _, g := range p.Spec.Generated[f.Name] {
		if accounts.IsDeclaration(g.Path) {
			generated = append(generated, g)
		}
	}
	if len(generated) > 0 {
		src, err := p.Sources.ImportGenerated(accounts.GeneratedSource(f.Name), p.Tree(f.Root), generated)
		if err != nil {
			return nil, err
		}
		sources = append(sources, src)
	}
	return sources, nil
}

// fixedNumbers are the numbers that a flavour gives to its users and groups.
func fixedNumbers(c *config.Content) (users, groups map[string]uint32) {
	users, groups = map[string]uint32{}, map[string]uint32{}
	for _, u := range c.Users {
		if u.UID != 0 {
			users[u.Name] = u.UID
		}
	}
	for _, g := range c.Groups {
		if g.GID != 0 {
			groups[g.Name] = g.GID
		}
	}
	return users, groups
}
