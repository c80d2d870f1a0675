package stages

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/gardenlinux/system"
	"github.com/treewright/treewright/builder/gardenlinux/tree"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/source"
	"github.com/treewright/treewright/builder/stage/bill"
	"github.com/treewright/treewright/builder/stage/planner"
)

// artifacts is the stage that makes the artifacts of a cname from its tree, by
// the scripts of the features or in their absence by what is built in.
type artifacts struct{ *method }

// plan plans the artifacts of a system's tree. None of them is a commit.
func (s artifacts) plan(p *planner.Planner, built planner.System) (planner.Commit, error) {
	return planner.Commit{}, s.each(p, built)
}

func (s artifacts) each(p *planner.Planner, built planner.System) error {
	tools, err := p.ToolsLayer(distro.ForScripts)
	if err != nil {
		return err
	}
	made := map[string]string{} // extension -> step
	for _, a := range s.system.Artifacts {
		step := plan.Step{
			ID: "artifacts/" + a.Extension, Stage: "artifacts", Title: "make ." + a.Extension,
			Tools: tools, Output: plan.Dir,
			Artifacts: []plan.Artifact{{Name: a.Extension, Path: a.Extension, Kind: plan.FileArtifact, Description: describe(a)}},
		}
		switch {
		case a.Script != nil:
			err = s.scripted(p, &step, a, made)
		case a.Extension == "raw":
			err = s.partitioned(p, &step, built)
		default:
			err = s.described(p, &step, a.Extension, built)
		}
		if err != nil {
			return err
		}
		if made[a.Extension], err = p.Add(step); err != nil {
			return err
		}
	}
	return nil
}

func describe(a system.Artifact) string {
	if a.Script != nil {
		return fmt.Sprintf("made of .%s by %s of %s", a.Takes, a.Script.File, a.Feature.Name)
	}
	return map[string]string{
		"tar": "the tree", "release": "its os-release", "manifest": "its packages", "sbom": "its packages, in CycloneDX",
		"requirements": "what running it takes", "raw": "disk image",
	}[a.Extension]
}

// scripted completes the step of a feature's image or convert script.
func (s artifacts) scripted(p *planner.Planner, step *plan.Step, a system.Artifact, made map[string]string) error {
	step.Title = fmt.Sprintf("run %s of %s", a.Script.File, a.Feature.Name)
	base := s.system.Name.Base()
	*step = artifactAction.Step(artifactParams{
		Script: "features/" + a.Feature.Name + "/" + a.Script.File,
		Input:  base + "." + a.Takes, Output: base + "." + a.Extension, Extension: a.Extension, Takes: a.Takes,
	}, *step)
	step.Env = s.imageEnv(a.Feature)
	step.Inputs = map[string]string{"input": made[a.Takes]}
	s.network(p, step)
	step.MemoryMiB = 4096 // scripts unpack the tree on a tmpfs
	found, err := scan(p.FeatureDir(a.Feature), source.Beside(a.Script.File))
	if err != nil {
		return err
	}
	step.Title += shown(found, false)
	step.Sources, err = sources(p, a.Feature, a.Script.File, found)
	return err
}

// partitioned completes the step of the built-in disk image.
func (s artifacts) partitioned(p *planner.Planner, step *plan.Step, built planner.System) error {
	step.Title, step.Base = "make the disk image", built.Tree
	params := imageParams{}
	whole := false
	for _, f := range s.system.Features {
		parts := tree.PartsOf(f)
		if parts.Fstab {
			params.Fstabs = append(params.Fstabs, "features/"+f.Name+"/fstab")
		}
		if parts.FstabMod {
			params.Mods = append(params.Mods, "features/"+f.Name+"/fstab.mod")
		}
		if !parts.Fstab && !parts.FstabMod {
			continue
		}
		found, err := scan(p.FeatureDir(f), source.Only("fstab.mod"))
		if err != nil {
			return err
		}
		whole = whole || found.tree != ""
		src, err := p.Sources.Import("features/"+f.Name, p.FeatureDir(f), source.Only("fstab", "fstab.mod"))
		if err != nil {
			return err
		}
		step.Sources = append(step.Sources, src)
	}
	if whole {
		var err error
		if step.Sources, err = wholeBuilder(p); err != nil {
			return err
		}
	}
	step.Env = s.imageEnv(nil)
	if len(params.Mods) == 0 {
		// Only what the layout depends on, so that a commit does not make the
		// same image again.
		step.Env = only(step.Env, "BUILDER_ARCH", "BUILDER_VERSION", "BUILDER_TIMESTAMP", "TEMPFS_SIZE")
	}
	step.MemoryMiB = 1024
	*step = partitionedImageAction.Step(params, *step)
	return nil
}

func only(env map[string]string, names ...string) map[string]string {
	kept := map[string]string{}
	for _, name := range names {
		kept[name] = env[name]
	}
	return kept
}

// described completes the step of an artifact that describes the tree, or is it.
func (s artifacts) described(p *planner.Planner, step *plan.Step, ext string, built planner.System) error {
	step.Base = built.Tree
	switch ext {
	case "tar":
		step.Title = "pack the tree"
		step.Env = only(s.imageEnv(nil), "BUILDER_TIMESTAMP")
		*step = tarAction.Step(struct{}{}, *step)
	case "release":
		step.Tools = ""
		*step = releaseAction.Step(struct{}{}, *step)
	case "manifest":
		*step = manifestAction.Step(packagesParams{p.Packages.System.Bare()}, *step)
	case "sbom":
		step.Tools = ""
		*step = sbomAction.Step(sbomParams{bill.Resolved(p, p.Packages.System), p.Spec.Flavour.Distribution.Suite}, *step)
		step.Env = only(s.imageEnv(nil), "BUILDER_CNAME", "BUILDER_ARCH", "BUILDER_VERSION", "BUILDER_FEATURES", "BUILDER_TIMESTAMP")
	case "requirements":
		return s.required(p, step)
	}
	return nil
}

// requirementsMentions is the variable that says where features are.
var requirementsMentions = regexp.MustCompile(`features_dir`)

// required completes the step of .requirements: shell variables that the tree
// gives defaults and features change.
func (s artifacts) required(p *planner.Planner, step *plan.Step) error {
	step.Base = ""
	params := requirementsParams{}
	defs, err := p.Sources.ImportFile("requirements.defs", filepath.Join(p.Project, "requirements.defs"))
	if err == nil {
		step.Sources = append(step.Sources, defs)
		params.Files = append(params.Files, "requirements.defs")
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	whole := false
	for _, f := range s.system.Features {
		if !tree.PartsOf(f).Requirements {
			continue
		}
		params.Files = append(params.Files, "features/"+f.Name+"/requirements.mod")
		found, err := scan(p.FeatureDir(f), source.Only("requirements.mod"))
		if err != nil {
			return err
		}
		whole = whole || found.matches(requirementsMentions)
		src, err := p.Sources.Import("features/"+f.Name, p.FeatureDir(f), source.Only("requirements.mod"))
		if err != nil {
			return err
		}
		step.Sources = append(step.Sources, src)
	}
	if whole {
		if step.Sources, err = wholeBuilder(p); err != nil {
			return err
		}
	}
	step.Env = s.imageEnv(nil)
	if len(params.Files) == 0 {
		step.Env = only(step.Env, "BUILDER_ARCH")
	}
	*step = requirementsAction.Step(params, *step)
	return nil
}
