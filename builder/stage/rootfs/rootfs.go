package rootfs

import (
	"fmt"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/stage/accounts"
	"github.com/treewright/treewright/builder/stage/content"
	"github.com/treewright/treewright/builder/stage/planner"
	"github.com/treewright/treewright/builder/task"
)

// Plan plans the stage that composes the system's tree from its features.
func Plan(p *planner.Planner) (planner.System, error) {
	base, err := p.Bootstrap()
	if err != nil {
		return planner.System{}, err
	}
	base, have, err := composer{p}.seed(base)
	if err != nil {
		return planner.System{}, err
	}
	var s planner.System
	s.Tree, err = Compose(p, Composition{
		Stage: "rootfs", Name: "system", Base: base,
		Features: p.Spec.Composed(), Wants: append(Wants(p.Spec.Packages), p.LocalWants(p.Spec.Composed(), p.Packages.System)...),
		Have: have, Packages: p.Packages.System, Origins: &s.Origins,
	})
	if err == nil && p.Method.Identified {
		s.Tree, err = composer{p}.identity(s.Tree)
	}
	return s, err
}

// Compose plans a composition and returns the ID of its last step.
func Compose(p *planner.Planner, c Composition) (string, error) { return composer{p}.compose(c) }

// seed plans what the tree holds before the features' packages, and returns the
// last step with the packages that are there then.
func (p composer) seed(tip string) (string, *distro.Closure, error) {
	have := p.Packages.Base
	if p.Packages.Seed != nil {
		var err error
		if tip, err = p.Install("rootfs", "seed", tip, have, p.Packages.Seed, p.Method.Seed); err != nil {
			return "", nil, err
		}
		have = p.Packages.Seed
	}
	tip, err := p.Method.Prepared(p.Planner, tip)
	return tip, have, err
}

// compose plans the phases of the Garden Linux builder, each over all features
// in resolved order: exec.early, packages, files, their owners and modes,
// exec.config, exec.late, file.exclude, exec.post; and, of our own, debconf before
// packages, between packages and files exec.accounts and the accounts, and after
// exec.late what the flavour itself sets. Every feature's part of a
// phase is a step of its own, so that a change repeats only what follows it.
// It returns the ID of the last step.
func (p composer) compose(c Composition) (string, error) {
	phases := []phase{
		each(p.script("exec.early")), each(p.debconf), p.installation,
		each(p.script("exec.accounts")), p.accounts,
		p.sourcesAndFiles, each(p.stat),
		each(p.script("exec.config")), each(p.script("exec.late")), p.settings,
		each(p.exclude), each(p.script("exec.post")),
	}
	tip := c.Base
	tips := []string{tip} // before each phase, and at the end
	for _, plan := range phases {
		var err error
		if tip, err = plan(c, tip); err != nil {
			return "", err
		}
		tips = append(tips, tip)
	}
	if c.Origins != nil {
		*c.Origins = planner.OriginSteps{Bootstrap: tips[0], Early: tips[2], Packages: tips[5], Files: tips[7], Scripts: tip}
	}
	return tip, nil
}

// phase plans a phase of a composition above the step tip, and returns the ID
// of its last step.
type phase func(c Composition, tip string) (string, error)

// each is a phase with a step for each feature.
func each(one func(Composition, *config.Feature, string) (string, error)) phase {
	return func(c Composition, tip string) (string, error) {
		for _, f := range c.Features {
			var err error
			if tip, err = one(c, f, tip); err != nil {
				return "", err
			}
		}
		return tip, nil
	}
}

// settings is the phase of what the flavour sets itself.
func (p composer) settings(c Composition, tip string) (string, error) {
	if c.Name != "system" {
		return tip, nil
	}
	return content.PlanSettings(p.Planner, tip)
}

// script plans one script per feature.
func (p composer) script(name string) func(Composition, *config.Feature, string) (string, error) {
	return func(c Composition, f *config.Feature, tip string) (string, error) {
		if !f.Scripts[name] {
			return tip, nil
		}
		step, err := p.Method.Script(p.Planner, f, name, plan.Step{
			ID: c.id(name, f), Stage: c.Stage, Title: fmt.Sprintf("run %s of %s", name, f.Name), Base: tip, Output: plan.Layer,
		})
		if err != nil {
			return "", err
		}
		return p.Add(step)
	}
}

// files plans the copy of file.include, and of what exec.build makes.
func (p composer) files(c Composition, f *config.Feature, tip string) (string, error) {
	inputs := map[string]string{}
	if f.Scripts["exec.build"] {
		built, err := p.build(c, f)
		if err != nil {
			return "", err
		}
		inputs["built"] = built
	}
	generated := p.Spec.Generated[f.Name]
	var sources []plan.Source
	if f.HasFiles || len(inputs) > 0 {
		src, err := p.Sources.ImportOnly("features/"+f.Name, p.FeatureDir(f), "file.include")
		if err != nil {
			return "", err
		}
		sources = append(sources, src)
	}
	if len(generated) > 0 {
		src, err := p.Sources.ImportGenerated(accounts.GeneratedSource(f.Name), p.Tree(f.Root), generated)
		if err != nil {
			return "", err
		}
		sources = append(sources, src)
	}
	if len(sources) == 0 {
		return tip, nil
	}
	return p.Add(FilesAction.Step(FilesParams{Feature: f.Name, Watch: p.Method.Watch, Own: ownOf(generated)}, plan.Step{
		ID: c.id("file.include", f), Stage: c.Stage, Title: "copy the files of " + f.Name,
		Base: tip, Inputs: inputs, Sources: sources, Output: plan.Layer, MemoryMiB: 128, Hints: hintsOf(generated),
	}))
}

// build plans exec.build, on a tree of its own that has pkg.build installed.
func (p composer) build(c Composition, f *config.Feature) (string, error) {
	base, err := p.Bootstrap()
	if err != nil {
		return "", err
	}
	if packages := p.Packages.Build[f.Name]; packages != nil {
		wants := Wants(p.Spec.BuildPackages[f.Name])
		if base, err = p.Install("build", "build-"+f.Name, base, p.Packages.Base, packages, wants); err != nil {
			return "", err
		}
	}
	src, err := p.Sources.ImportBeside("features/"+f.Name, p.FeatureDir(f), "exec.build")
	if err != nil {
		return "", err
	}
	return p.Add(BuildAction.Step(scriptParams{Feature: f.Name, Script: "exec.build"}, lend(p.Planner, f, "exec.build", plan.Step{
		ID: c.id("exec.build", f), Stage: c.Stage, Title: "run exec.build of " + f.Name,
		Env: scriptEnv(p.Planner, f, "exec.build"), Base: base, Sources: []plan.Source{src}, Output: plan.Dir, MemoryMiB: 1024,
	})))
}

func (p composer) stat(c Composition, f *config.Feature, tip string) (string, error) {
	return p.lines(c, f, tip, "file.include.stat", StatAction, "set owners and modes for "+f.Name, f.FileStat)
}

func (p composer) exclude(c Composition, f *config.Feature, tip string) (string, error) {
	// What an extension leaves out is not a change to the tree below it.
	if c.Stage == "extension" {
		return tip, nil
	}
	return p.lines(c, f, tip, "file.exclude", ExcludeAction, "remove files for "+f.Name, f.FileExclude)
}

// lines plans a step whose only input is a list file.
func (p composer) lines(c Composition, f *config.Feature, tip, phase string, action *task.Action[linesParams], title string, lines []config.Line) (string, error) {
	if len(lines) == 0 {
		return tip, nil
	}
	params := linesParams{Feature: f.Name, Watch: action == ExcludeAction && p.Method.Watch, Accounts: action == StatAction && p.Method.Accounts}
	for _, l := range lines {
		params.Lines = append(params.Lines, l.Text)
	}
	return p.Add(action.Step(params, plan.Step{
		ID: c.id(phase, f), Stage: c.Stage, Title: title, Base: tip, Output: plan.Layer, MemoryMiB: 128,
	}))
}
