package image

import (
	"fmt"
	"slices"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/stage/commit"
	"github.com/treewright/treewright/builder/stage/planner"
)

// Plan plans the stage that turns the newest commit into a disk that boots.
func Plan(p *planner.Planner, c planner.Commit) error {
	f := p.Spec.StageFeature("image")
	if f == nil {
		return nil
	}
	names, ok := commit.Names(p.Spec)
	if !ok {
		return fmt.Errorf("feature %q adds the image stage, but flavour %q has no commit stage, whose commit the image would contain; add a feature with stage: commit (ostreeRepo)",
			f.Name, p.Spec.Flavour.Name)
	}
	if !Bootable(p.Arch()) {
		return fmt.Errorf("the image stage knows no UEFI firmware for the architecture %q of flavour %q", p.Arch(), p.Spec.Flavour.Name)
	}
	params := DiskParams{
		File:      raw.File(p.Spec.Flavour.Name),
		Identity:  []string{p.Spec.Flavour.Name, names.OSName},
		Stateroot: p.Parameter(f, "stateroot").String(), Ref: names.Ref,
	}
	if params.Stateroot == "" {
		params.Stateroot = names.OSName
	}
	commitFeature := p.Spec.StageFeature("commit")
	params.Verify = p.Keys != nil
	params.Remote = p.Parameter(commitFeature, "remote_name").String()
	params.RemoteURL = p.Parameter(commitFeature, "remote_url").String()
	if params.Remote == "" {
		return fmt.Errorf("flavour %q: the parameter remote_name of %q must not be empty: the image's origin names it", p.Spec.Flavour.Name, commitFeature.Name)
	}
	params.Kargs = KernelArgs(p.Spec)
	params.FreeMiB = p.Parameter(f, "free_space_mib").Int()
	if params.FreeMiB < 0 {
		return fmt.Errorf("flavour %q: the parameter free_space_mib of %q must not be negative", p.Spec.Flavour.Name, f.Name)
	}
	esp := ESPParams{Vendor: p.Spec.Flavour.Distribution.Family}
	esp.Timeout = p.Parameter(f, "boot_timeout_s").Int()
	esp.Tries = p.Parameter(f, "boot_tries").Int()
	if esp.Tries < 0 || esp.Tries > MaxTries {
		return fmt.Errorf("flavour %q: the parameter boot_tries of %q must be from 0 to %d", p.Spec.Flavour.Name, f.Name, MaxTries)
	}
	params.Count = esp.Tries > 0

	return planDisk(p, c, esp, params)
}

// KernelArgs are the arguments that the kernel gets on machines that are made from the
// image; none if the system has no image.
func KernelArgs(spec *compose.Spec) []string {
	f := spec.StageFeature("image")
	if f == nil {
		return nil
	}
	args := slices.Clone(spec.Parameters[f.Name]["kargs"].List())
	for _, arg := range spec.Flavour.Content.KernelArgs {
		args = append(args, arg.Text)
	}
	if spec.Parameters[f.Name]["boot_tries"].Int() > 0 {
		args = append(args, HealthKargs...)
	}
	return args
}

// planDisk plans the steps that make the disk, and it in all formats asked for.
func planDisk(p *planner.Planner, c planner.Commit, esp ESPParams, params DiskParams) error {
	formats, err := Asked(p.Spec)
	if err != nil {
		return err
	}
	tools, err := p.ToolsLayer(distro.ForImage)
	if err != nil {
		return err
	}
	loader, err := p.BootLoaderTools()
	if err != nil {
		return err
	}
	espID, err := p.Add(ESPAction.Step(esp, plan.Step{
		ID: "image/esp", Stage: "image", Title: "make the EFI system partition", Tools: loader, Output: plan.Dir, MemoryMiB: 128,
	}))
	if err != nil {
		return err
	}
	step := plan.Step{
		ID: "image/disk", Stage: "image", Title: "deploy the commit into a disk image", Tools: tools, Inputs: map[string]string{"repo": c.Repo, "tree": c.Tree, "esp": espID}, Output: plan.Dir, MemoryMiB: 512,
	}
	for _, f := range formats {
		if f.Convert == nil {
			step.Artifacts = artifact(f, params.File)
		}
	}
	disk, err := p.Add(DiskAction.Step(params, step))
	if err != nil {
		return err
	}
	for _, f := range formats {
		if f.Convert == nil {
			continue
		}
		if err := planFormat(p, f, disk, params.File); err != nil {
			return err
		}
	}
	return nil
}

// planFormat plans the step that makes a format's file of the disk.
func planFormat(p *planner.Planner, f Format, disk, from string) error {
	if len(f.Tools[p.Distro.Name()]) == 0 {
		return fmt.Errorf("flavour %q: the image stage knows no packages of the family %q that make the format %q", p.Spec.Flavour.Name, p.Distro.Name(), f.Name)
	}
	tools, err := p.ToolsLayer(f.purpose())
	if err != nil {
		return err
	}
	file := f.File(p.Spec.Flavour.Name)
	_, err = p.Add(f.Convert.Step(ConvertParams{Disk: from, File: file}, plan.Step{
		ID: "image/" + f.Name, Stage: "image", Title: "convert the disk image to " + f.Name, Tools: tools, Inputs: map[string]string{"disk": disk},
		Output: plan.Dir, MemoryMiB: 512, Artifacts: artifact(f, file),
	}))
	return err
}

// Artifacts are those that the stage makes of a flavour.
func Artifacts(spec *compose.Spec) ([]plan.Artifact, error) {
	formats, err := Asked(spec)
	var all []plan.Artifact
	for _, f := range formats {
		all = append(all, artifact(f, f.File(spec.Flavour.Name))...)
	}
	return all, err
}

// artifact is a disk image as it is handed out.
func artifact(f Format, file string) []plan.Artifact {
	return []plan.Artifact{{Name: file, Path: file, Kind: plan.FileArtifact, Description: f.Description}}
}
