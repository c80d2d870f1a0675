package bill

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/stage/planner"
	"github.com/treewright/treewright/builder/stage/rootfs"
)

// parameter is the one of the feature with the commit stage that turns bills off. A
// feature that does not declare it has them.
const parameter = "bill_of_materials"

// wanted reports whether a flavour has bills of materials.
func wanted(spec *compose.Spec) bool {
	v, declared := spec.StageParameter("commit", parameter)
	return spec.StageFeature("commit") != nil && (!declared || v.Bool())
}

// Artifacts are the bills of a flavour.
func Artifacts(spec *compose.Spec) []plan.Artifact {
	if !wanted(spec) {
		return nil
	}
	all := ofSystem(spec)
	for _, ext := range spec.Extensions {
		all = append(all, ofExtension(ext)...)
	}
	return all
}

func ofSystem(spec *compose.Spec) []plan.Artifact {
	return artifacts(spec.Flavour.Name, "what the system is made of")
}

func ofExtension(ext compose.Extension) []plan.Artifact {
	return artifacts(ext.Name, "what the extension "+ext.Name+" is made of")
}

func artifacts(name, description string) []plan.Artifact {
	return []plan.Artifact{
		{Name: name + SPDXEnding, Path: name + SPDXEnding, Kind: plan.FileArtifact, Description: description + ", in SPDX"},
		{Name: name + CycloneDXEnding, Path: name + CycloneDXEnding, Kind: plan.FileArtifact, Description: description + ", in CycloneDX"},
	}
}

// Plan plans the bills of the system and of its extensions, whose steps are in the graph.
func Plan(p *planner.Planner, c planner.Commit) error {
	if !wanted(p.Spec) {
		return nil
	}
	system := Params{
		Name: p.Spec.Flavour.Name, Description: p.Spec.Flavour.Description, Vendor: p.Distro.Name(), Suite: p.Spec.Flavour.Distribution.Suite,
		Resolved: Resolved(p, p.Packages.System),
	}
	step := plan.Step{ID: "commit/bill", Stage: "commit", Inputs: map[string]string{"tree": c.Tree}, Artifacts: ofSystem(p.Spec)}
	if err := add(p, system, step, c.System); err != nil {
		return err
	}
	for _, ext := range p.Spec.Extensions {
		if ext.Name == p.Spec.Flavour.Name {
			return fmt.Errorf("feature %q would make the artifact %s, but that is the name of the system's bill of materials; rename the feature", ext.Feature.Name, ext.Name+SPDXEnding)
		}
		packages := p.Packages.Extensions[ext.Name]
		if packages == nil {
			packages = p.Packages.System
		}
		made := "extension/" + ext.Name + "/tree"
		extended := p.Graph.Step(made).Base
		params := system
		params.Name, params.Description, params.Resolved = ext.Name, ext.Feature.Description, Resolved(p, packages.Minus(p.Packages.System))
		if err := add(p, params, plan.Step{
			ID: "extension/" + ext.Name + "/bill", Stage: "extension", Artifacts: ofExtension(ext),
			Inputs: map[string]string{"tree": made, "extended": extended, "system": c.System},
		}, extended); err != nil {
			return err
		}
	}
	return nil
}

// add adds the step of a bill. Its files of features are those that steps of the same stage
// brought, of the steps that the tree of the step top is made of.
func add(p *planner.Planner, params Params, step plan.Step, top string) error {
	stage := "rootfs"
	if step.Stage == "extension" {
		stage = "extension"
	}
	for id := top; id != ""; id = p.Graph.Step(id).Base {
		s := p.Graph.Step(id)
		if s.Action != rootfs.FilesAction.Name() || s.Stage != stage {
			continue
		}
		files, err := rootfs.FilesAction.Params(s)
		if err != nil {
			return err
		}
		params.Features = append(params.Features, files.Feature)
		step.Sources = append(step.Sources, s.Sources...)
		if built := s.Inputs["built"]; built != "" {
			step.Inputs["built-"+files.Feature] = built
		}
	}
	slices.Reverse(params.Features)
	slices.SortFunc(step.Sources, func(a, b plan.Source) int { return strings.Compare(a.Name, b.Name) })
	step.Title, step.Output, step.MemoryMiB = "write the bill of materials of "+params.Name, plan.Dir, 128
	_, err := p.Add(Action.Step(params, step))
	return err
}

// Resolved returns the packages of a set with their origins.
func Resolved(p *planner.Planner, c *distro.Closure) []Origin {
	own := []string{"", config.MainSource, config.SecuritySource, config.UpdatesSource, config.BackportsSource}
	all := make([]Origin, len(c.Packages))
	for i, a := range c.Packages {
		all[i] = Origin{Package: a.Package, SHA256: a.SHA256, Vendor: a.Source}
		local, isLocal := p.Packages.Local[a.SHA256]
		switch {
		case isLocal:
			all[i].Vendor, all[i].Feature = Local, local.Feature
		case slices.Contains(own, a.Source):
			all[i].Vendor = p.Distro.Name()
		case a.Source == p.Distro.Name():
			all[i].Vendor = "source-" + a.Source // only its owner calls it that
		}
	}
	slices.SortFunc(all, func(a, b Origin) int {
		return cmp.Or(a.Package.Compare(b.Package), strings.Compare(a.SHA256, b.SHA256))
	})
	return all
}
