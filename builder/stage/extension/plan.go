package extension

import (
	"fmt"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/extend"
	"github.com/treewright/treewright/builder/format"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/stage/lint"
	"github.com/treewright/treewright/builder/stage/planner"
	"github.com/treewright/treewright/builder/stage/rootfs"
)

// reserved are the names in a public directory that no artifact can have: the list of sums, and the directories of packages for machines.
var reserved = []string{"SHA256SUMS", extend.Dir, "pool"}

// Plan plans the stage that makes system extensions (systemd-sysext(8)):
// features composed above the system's tree, of which only the difference to
// the tree as committed leaves.
func Plan(p *planner.Planner, c planner.Commit) error {
	trees := map[string]string{}
	for _, ext := range p.Spec.Extensions {
		tree, err := planExtension(p, ext, c)
		if err != nil {
			return err
		}
		trees[ext.Name] = tree
	}
	if len(trees) < 2 {
		return nil
	}
	_, err := p.Add(TogetherAction.Step(struct{}{}, plan.Step{
		ID: "extension/together", Stage: "extension", Title: "look whether the extensions get along",
		Inputs: trees, Output: plan.Dir, MemoryMiB: 128,
	}))
	return err
}

// planExtension adds the steps of one extension and returns that of its tree.
func planExtension(p *planner.Planner, ext compose.Extension, c planner.Commit) (string, error) {
	file := Artifacts(p.Spec, ext)[1].Name
	if err := nameIsFree(p, ext, ext.Name, file); err != nil {
		return "", err
	}
	imageFormat := formatOf(p.Spec, ext)
	if !slices.Contains(extensionFormats, imageFormat) {
		return "", fmt.Errorf("flavour %q: the parameter %s of %q is %q; it can be %s",
			p.Spec.Flavour.Name, compose.FormatParameter, ext.Feature.Name, imageFormat, strings.Join(extensionFormats, " or "))
	}
	if !Mergeable(p.Arch()) {
		return "", fmt.Errorf("the extension stage does not know what systemd calls the architecture %q of flavour %q", p.Arch(), p.Spec.Flavour.Name)
	}
	packages := p.Packages.Extensions[ext.Name]
	if packages == nil {
		packages = p.Packages.System
	}
	var from planner.OriginSteps
	tip, err := rootfs.Compose(p, rootfs.Composition{
		Stage: "extension", Name: ext.Name, Base: c.System, Origins: &from,
		Features: ext.Features, Wants: append(rootfs.Wants(ext.Packages), p.LocalWants(ext.Features, packages)...), Have: p.Packages.System, Packages: packages,
	})
	if err != nil {
		return "", err
	}
	params := TreeParams{Name: ext.Name, Secrets: lint.AllowedSecrets(p.Spec, ext.Features), Packages: len(ext.Features) == 0, Ledger: p.Ledger}
	for _, f := range ext.Features {
		for _, l := range f.FileExclude {
			params.Exclude = append(params.Exclude, l.Text)
		}
	}
	directory := Artifacts(p.Spec, ext)[:1]
	if params.Packages {
		directory = nil // machines get the image
	}
	tree, err := p.Add(TreeAction.Step(params, plan.Step{
		ID: "extension/" + ext.Name + "/tree", Stage: "extension", Title: "find what is new in " + ext.Name, Base: tip, Output: plan.Dir, MemoryMiB: 256,
		Inputs:    map[string]string{"system": c.System, "committed": c.Tree, "packages": from.Packages, "files": from.Files},
		Artifacts: directory,
	}))
	if err != nil {
		return "", err
	}
	return tree, planImage(p, ext, imageFormat, tree)
}

// planImage adds the step that packs the directory of the step tree.
func planImage(p *planner.Planner, ext compose.Extension, imageFormat, tree string) error {
	purpose, flavour := distro.ForExtension, p.Spec.Flavour
	params := ImageParams{Name: ext.Name, Format: imageFormat, UUID: format.UUID("treewright", "extension", flavour.Name, ext.Name)}
	inside, isDDI := compose.DDIFormats[imageFormat]
	if isDDI {
		purpose, params.Format = distro.ForVerity, inside
	}
	tools, err := p.ToolsLayer(purpose)
	if err != nil {
		return err
	}
	step := plan.Step{
		ID: "extension/" + ext.Name + "/image", Stage: "extension", Title: "pack " + ext.Name + ".raw",
		Tools: tools, Inputs: map[string]string{"tree": tree}, Output: plan.Dir, MemoryMiB: 512,
		Artifacts: Artifacts(p.Spec, ext)[1:],
	}
	if isDDI {
		step = DDIAction.Step(DDIParams{ImageParams: params, Seed: format.UUID("treewright", "extension partitions", flavour.Name, ext.Name), Signed: flavour.Verity.Signs()}, step)
	} else {
		step = ImageAction.Step(params, step)
	}
	_, err = p.Add(step)
	return err
}

// Artifacts are those that the stage makes of an extension: the directory, the image.
func Artifacts(spec *compose.Spec, ext compose.Extension) []plan.Artifact {
	file, signed := ext.Name+".raw", ""
	if compose.DDIFormats[formatOf(spec, ext)] != "" {
		switch {
		case spec.Flavour.Verity.Signs():
			signed = ", signed"
		case spec.SignedOnly():
			signed = ", unsigned: the machines' policy refuses it"
		default:
			signed = ", unsigned"
		}
	}
	return []plan.Artifact{
		{Name: ext.Name, Path: ext.Name, Kind: plan.DirArtifact, Description: "the extension " + ext.Name + " as a directory"},
		{Name: file, Path: file, Kind: plan.FileArtifact, Description: "the extension " + ext.Name + ", for /var/lib/extensions" + signed},
	}
}

// nameIsFree reports whether nothing else in the output directory has the names.
func nameIsFree(p *planner.Planner, ext compose.Extension, names ...string) error {
	taken := map[string]string{}
	for _, name := range reserved {
		taken[name] = "a build's own files"
	}
	for _, s := range p.Graph.Steps() {
		for _, a := range s.Artifacts {
			taken[a.Name] = "step " + s.ID
		}
	}
	for _, name := range names {
		if by, ok := taken[name]; ok {
			return fmt.Errorf("feature %q would make the artifact %s, but that is the name of what %s makes; rename the feature", ext.Feature.Name, name, by)
		}
	}
	return nil
}
