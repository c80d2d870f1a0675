package stage

import (
	"fmt"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/source"
	"github.com/treewright/treewright/builder/task"
)

// System is what the rootfs stage leaves for those after it.
type System struct {
	// Tree is the step that leaves the system's tree, with its package database.
	Tree    string
	origins originSteps
}

// PlanRootfs plans the stage that composes the system's tree from its features.
func PlanRootfs(p *Planner) (System, error) {
	base, err := p.bootstrap()
	if err != nil {
		return System{}, err
	}
	base, have, err := p.seed(base)
	if err != nil {
		return System{}, err
	}
	var s System
	s.Tree, err = p.compose(composition{
		stage: "rootfs", name: "system", base: base,
		features: p.Spec.Features, wants: Wants(p.Spec.Packages),
		have: have, packages: p.Packages.System, origins: &s.origins,
	})
	if err == nil && p.Recipe.Follows {
		s.Tree, err = p.identity(s.Tree)
	}
	return s, err
}

// seed plans what the tree holds before the features' packages, and returns the
// last step with the packages that are there then.
func (p *Planner) seed(tip string) (string, *distro.Closure, error) {
	have := p.Packages.Base
	if p.Packages.Seed != nil {
		var err error
		if tip, err = p.install("rootfs", "seed", tip, have, p.Packages.Seed, p.Recipe.Seed); err != nil {
			return "", nil, err
		}
		have = p.Packages.Seed
	}
	if p.Recipe.Prepared == nil {
		return tip, have, nil
	}
	tip, err := p.Recipe.Prepared(p, tip)
	return tip, have, err
}

// composition is a tree that features make on top of another.
type composition struct {
	stage string
	// name tells compositions of one stage apart: "system", or the extension's.
	name     string
	base     string // step ID
	features []*config.Feature
	wants    []distro.Want
	// have are the packages in the base's tree, packages those in the result.
	have, packages *distro.Closure
	origins        *originSteps // filled in, unless it is nil
}

// Wants translates what features ask for into apt's terms.
func Wants(wants []compose.Want) []distro.Want {
	out := make([]distro.Want, len(wants))
	for i, w := range wants {
		out[i] = distro.Want{Name: w.Name, Version: w.Version}
	}
	return out
}

// compose plans the phases of the Garden Linux builder, each over all features
// in resolved order: exec.early, packages, files, their owners and modes,
// exec.config, exec.late, file.exclude, exec.post; and between packages and
// files, of our own, exec.accounts and the accounts. Every feature's part of a
// phase is a step of its own, so that a change repeats only what follows it.
// It returns the ID of the last step.
func (p *Planner) compose(c composition) (string, error) {
	phases := []phase{
		each(p.script("exec.early")), p.installation,
		each(p.script("exec.accounts")), p.accounts,
		each(p.files), each(p.stat),
		each(p.script("exec.config")), each(p.script("exec.late")),
		each(p.exclude), each(p.script("exec.post")),
	}
	tip := c.base
	tips := []string{tip} // before each phase, and at the end
	for _, plan := range phases {
		var err error
		if tip, err = plan(c, tip); err != nil {
			return "", err
		}
		tips = append(tips, tip)
	}
	if c.origins != nil {
		*c.origins = originSteps{bootstrap: tips[0], early: tips[1], packages: tips[4], files: tips[6], scripts: tip}
	}
	return tip, nil
}

// phase plans a phase of a composition above the step tip, and returns the ID
// of its last step.
type phase func(c composition, tip string) (string, error)

// each is a phase with a step for each feature.
func each(one func(composition, *config.Feature, string) (string, error)) phase {
	return func(c composition, tip string) (string, error) {
		for _, f := range c.features {
			var err error
			if tip, err = one(c, f, tip); err != nil {
				return "", err
			}
		}
		return tip, nil
	}
}

// installation is the phase of packages.
func (p *Planner) installation(c composition, tip string) (string, error) {
	return p.install(c.stage, c.name, tip, c.have, c.packages, c.wants)
}

// id names a step of a composition.
func (c composition) id(phase string, f *config.Feature) string {
	if c.name == "system" {
		return fmt.Sprintf("%s/%s/%s", c.stage, phase, f.Name)
	}
	return fmt.Sprintf("%s/%s/%s/%s", c.stage, c.name, phase, f.Name)
}

// script plans one script per feature.
func (p *Planner) script(name string) func(composition, *config.Feature, string) (string, error) {
	return func(c composition, f *config.Feature, tip string) (string, error) {
		if !f.Scripts[name] {
			return tip, nil
		}
		step, err := p.Recipe.Script(p, f, name, plan.Step{
			ID: c.id(name, f), Stage: c.stage, Title: fmt.Sprintf("run %s of %s", name, f.Name), Base: tip, Output: plan.Layer,
		})
		if err != nil {
			return "", err
		}
		return p.Add(step)
	}
}

// files plans the copy of file.include, and of what exec.build makes.
func (p *Planner) files(c composition, f *config.Feature, tip string) (string, error) {
	inputs := map[string]string{}
	if f.Scripts["exec.build"] {
		built, err := p.build(c, f)
		if err != nil {
			return "", err
		}
		inputs["built"] = built
	}
	if !f.HasFiles && len(inputs) == 0 {
		return tip, nil
	}
	src, err := p.Sources.Import("features/"+f.Name, p.FeatureDir(f), source.Only("file.include"))
	if err != nil {
		return "", err
	}
	return p.Add(filesAction.Step(filesParams{Feature: f.Name, Watch: p.Recipe.Follows}, plan.Step{
		ID: c.id("file.include", f), Stage: c.stage, Title: "copy the files of " + f.Name,
		Base: tip, Inputs: inputs, Sources: []plan.Source{src}, Output: plan.Layer, MemoryMiB: 128,
	}))
}

// build plans exec.build, on a tree of its own that has pkg.build installed.
func (p *Planner) build(c composition, f *config.Feature) (string, error) {
	base, err := p.bootstrap()
	if err != nil {
		return "", err
	}
	if packages := p.Packages.Build[f.Name]; packages != nil {
		wants := Wants(p.Spec.BuildPackages[f.Name])
		if base, err = p.install("build", "build-"+f.Name, base, p.Packages.Base, packages, wants); err != nil {
			return "", err
		}
	}
	src, err := p.Sources.Import("features/"+f.Name, p.FeatureDir(f), source.Beside("exec.build"))
	if err != nil {
		return "", err
	}
	return p.Add(buildAction.Step(scriptParams{Feature: f.Name, Script: "exec.build"}, plan.Step{
		ID: c.id("exec.build", f), Stage: c.stage, Title: "run exec.build of " + f.Name,
		Env: p.scriptEnv(f, "exec.build"), Base: base, Sources: []plan.Source{src}, Output: plan.Dir, MemoryMiB: 1024,
	}))
}

func (p *Planner) stat(c composition, f *config.Feature, tip string) (string, error) {
	return p.lines(c, f, tip, "file.include.stat", statAction, "set owners and modes for "+f.Name, f.FileStat)
}

func (p *Planner) exclude(c composition, f *config.Feature, tip string) (string, error) {
	// What an extension leaves out is no change to the tree below it.
	if c.stage == "extension" {
		return tip, nil
	}
	return p.lines(c, f, tip, "file.exclude", excludeAction, "remove files for "+f.Name, f.FileExclude)
}

// lines plans a step whose only input is a list file.
func (p *Planner) lines(c composition, f *config.Feature, tip, phase string, action *task.Action[linesParams], title string, lines []config.Line) (string, error) {
	if len(lines) == 0 {
		return tip, nil
	}
	params := linesParams{Feature: f.Name, Watch: action == excludeAction && p.Recipe.Follows, Accounts: action == statAction && p.Recipe.Follows}
	for _, l := range lines {
		params.Lines = append(params.Lines, l.Text)
	}
	return p.Add(action.Step(params, plan.Step{
		ID: c.id(phase, f), Stage: c.stage, Title: title, Base: tip, Output: plan.Layer, MemoryMiB: 128,
	}))
}
