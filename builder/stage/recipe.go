package stage

import (
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/source"
)

// Recipe is what a kind of system is made by.
type Recipe struct {
	// Above plans the stages above the system's tree, and returns what they commit.
	Above func(p *Planner, system System) (Commit, error)
	// Seed are packages that a system's tree holds from the start, beside what
	// bootstrapping brings; Prepared plans what else is done to the tree then, above
	// the step tip, and returns the last step. It may be nil.
	Seed     []distro.Want
	Prepared func(p *Planner, tip string) (string, error)
	// Tools are packages of the tools for scripts, beside those of [ToolWants], that
	// an archive may lack. With any, there are such tools for every system.
	Tools []distro.Want
	// Script completes the step that runs a feature's script: what the script is
	// told, and what it sees of the configuration tree.
	Script func(p *Planner, f *config.Feature, script string, step plan.Step) (plan.Step, error)
	// Follows says that one system follows another on machines: its tree is named,
	// accounts keep their numbers, and what features do to files is noted.
	Follows bool
	// SeparateBoot lets packages find /boot on a file system of its own.
	SeparateBoot bool
}

// Flavours is the recipe of flavours.
func Flavours() Recipe {
	return Recipe{Above: flavourStages, Script: flavourScript, Follows: true}
}

// flavourScript runs a script of ours. exec.post runs outside the tree.
func flavourScript(p *Planner, f *config.Feature, script string, step plan.Step) (plan.Step, error) {
	src, err := p.Sources.Import("features/"+f.Name, p.FeatureDir(f), source.Beside(script))
	if err != nil {
		return step, err
	}
	step.Env, step.Sources = p.scriptEnv(f, script), []plan.Source{src}
	action := scriptAction
	if script == "exec.post" {
		action = postAction
		if step.Tools, err = p.ToolsLayer(distro.ForScripts); err != nil {
			return step, err
		}
	}
	return action.Step(scriptParams{Feature: f.Name, Script: script}, step), nil
}
