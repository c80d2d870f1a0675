package content

import (
	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/stage/planner"
	"github.com/treewright/treewright/builder/task"
)

// placesOf are the places of all that the steps look up.
func placesOf(c *config.Content) hints {
	h := hints{Places: map[string]hcl.Range{
		"timezone": c.Timezone.Range, "locale": c.Locale.Range, "keymap": c.Keymap.Range,
	}}
	for _, u := range c.Units {
		h.Places["unit "+u.Name] = u.Range
	}
	for _, g := range c.Groups {
		h.Places["group "+g.Name] = g.Range
	}
	for _, u := range c.Users {
		h.Places["user "+u.Name] = u.Range
		for _, g := range compose.GroupsOf(&u) {
			h.Places["member "+u.Name+" "+g.Text] = g.Range
		}
	}
	return h
}

// PlanAccounts plans the step that makes a flavour's users and groups above the step
// tip. It returns tip if there are none.
func PlanAccounts(p *planner.Planner, tip string) (string, error) {
	c := &p.Spec.Flavour.Content
	if len(c.Users)+len(c.Groups) == 0 {
		return tip, nil
	}
	var params accountsParams
	for _, g := range c.Groups {
		params.Groups = append(params.Groups, group{g.Name, g.GID, g.System})
	}
	for _, u := range c.Users {
		made := user{Name: u.Name, UID: u.UID, Gecos: u.Gecos, Shell: u.Shell, Home: u.Home, System: u.System}
		for _, g := range compose.GroupsOf(&u) {
			made.Groups = append(made.Groups, g.Text)
		}
		params.Users = append(params.Users, made)
	}
	return p.Add(AccountsAction.Step(params, plan.Step{
		ID: "rootfs/accounts/" + config.FlavourFeature, Stage: "rootfs", Title: "make the users and groups of the flavour",
		Base: tip, Output: plan.Layer, MemoryMiB: 128, Hints: task.EncodeHints(placesOf(c)),
	}))
}

// PlanSettings plans the step that does what needs the whole tree above the step tip.
// It returns tip if there is nothing to do.
func PlanSettings(p *planner.Planner, tip string) (string, error) {
	c := &p.Spec.Flavour.Content
	params := settingsParams{Timezone: c.Timezone.Text, Locale: c.Locale.Text, Keymap: c.Keymap.Text}
	for _, u := range c.Units {
		params.Units = append(params.Units, unit{u.Name, u.Verb})
	}
	for _, u := range c.Users {
		params.Users = append(params.Users, home{Name: u.Name, Home: u.Home, Shell: u.Shell, Keys: len(u.Keys) > 0, Sudo: u.Sudo})
	}
	if params.Timezone+params.Locale+params.Keymap == "" && len(params.Units)+len(params.Users) == 0 {
		return tip, nil
	}
	return p.Add(SettingsAction.Step(params, plan.Step{
		ID: "rootfs/settings/" + config.FlavourFeature, Stage: "rootfs", Title: "set units and settings of the flavour",
		Base: tip, Output: plan.Layer, MemoryMiB: 256, Hints: task.EncodeHints(placesOf(c)),
	}))
}
