package planner

import (
	"fmt"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/plan"
)

// parts are the purposes that a layer of tools is for as well.
var parts = map[distro.Purpose][]distro.Purpose{
	distro.ForImage:   {distro.ForImage, distro.ForBootLoader},
	distro.ForScripts: {distro.ForCommit, distro.ForImage, distro.ForBootLoader, distro.ForExtension},
}

// ToolWants returns the packages of a family that the tools for a purpose take on
// an architecture. Scripts find the tools of all stages, but not those that [Method]
// needs for purposes of its own: another output format is to run no script again.
func ToolWants(d distro.Distro, purpose distro.Purpose, arch string) []distro.Want {
	if parts[purpose] == nil {
		return d.Tools(purpose, arch)
	}
	var all []distro.Want
	for _, of := range parts[purpose] {
		for _, w := range d.Tools(of, arch) {
			if !slices.Contains(all, w) {
				all = append(all, w)
			}
		}
	}
	return all
}

// NeedOf is the need for programs of packages that are listed by the name of a family of
// distributions.
func NeedOf(spec *compose.Spec, purpose distro.Purpose, packages map[string][]string) Need {
	need := Need{Purpose: purpose}
	for _, name := range packages[spec.Flavour.Distribution.Family] {
		need.Wants = append(need.Wants, distro.Want{Name: name})
	}
	return need
}

// Needs returns the tools that a system's plan needs, one for each purpose.
func Needs(spec *compose.Spec, m Method, d distro.Distro) []Need {
	var out []Need
	need := func(purpose distro.Purpose) {
		out = append(out, Need{purpose, ToolWants(d, purpose, spec.Flavour.Distribution.Arch)})
	}
	if spec.StageFeature("commit") != nil {
		need(distro.ForCommit)
	}
	if spec.StageFeature("image") != nil {
		need(distro.ForImage)
	}
	if len(spec.Extensions) > 0 {
		need(distro.ForExtension)
	}
	if m.Tools != nil || runsPost(spec) {
		need(distro.ForScripts)
	}
	if m.Needs != nil {
		out = append(out, m.Needs(spec)...)
	}
	return out
}

// runsPost reports whether a feature has an exec.post.
func runsPost(spec *compose.Spec) bool {
	for _, f := range spec.AllFeatures() {
		if f.Scripts["exec.post"] {
			return true
		}
	}
	return false
}

// BootLoaderTools plans the layer that holds the programs for the boot loader.
func (p *Planner) BootLoaderTools() (string, error) {
	if p.Packages.Tools[distro.ForBootLoader].Packages != nil {
		return p.ToolsLayer(distro.ForBootLoader)
	}
	return p.ToolsLayer(distro.ForImage)
}

// ToolsLayer plans the layer that holds the programs for a purpose. It starts from
// the same bootstrap as the system, so that this is made once, unless the tools are
// from elsewhere.
func (p *Planner) ToolsLayer(purpose distro.Purpose) (string, error) {
	tools := p.Packages.Tools[purpose]
	if tools.Step != "" {
		return tools.Step, nil
	}
	if tools.Packages == nil {
		return "", fmt.Errorf("flavour %q: the packages of the tools for the purpose %q were not resolved", p.Spec.Flavour.Name, purpose)
	}
	have, bootstrap := p.Packages.Base, p.Bootstrap
	if from := tools.From; from != nil {
		have, bootstrap = from.Base, func() (string, error) {
			name := strings.ReplaceAll(from.Suite, "/", "-")
			if from.Arch != p.Arch() {
				name += "-" + from.Arch
			}
			return p.bootstrap("tools", "bootstrap-"+name, "base-"+name, from)
		}
	}
	base, err := bootstrap()
	if err != nil {
		return "", err
	}
	layer, err := p.Install("tools", string(purpose)+"-tools", base, have, tools.Packages, tools.Wants)
	if err != nil || tools.Data == nil {
		return layer, err
	}
	return p.unpack(string(purpose)+"-data", layer, tools.Data)
}

// unpack plans that packages' files are laid over the tree of the step base.
func (p *Planner) unpack(name, base string, c *distro.Closure) (string, error) {
	repo, err := p.fetch("packages/"+name, fmt.Sprintf("fetch %s for %s", diag.Counted(len(c.Packages), "package"), name), p.Arch(), c)
	if err != nil {
		return "", err
	}
	return p.Add(UnpackAction.Step(struct{}{}, plan.Step{
		ID: "tools/unpack-" + name, Stage: "tools", Title: fmt.Sprintf("unpack %s for %s", diag.Counted(len(c.Packages), "package"), name), Arch: p.Graph.Step(base).Arch,
		Base: base, Inputs: map[string]string{"repo": repo}, Output: plan.Layer, MemoryMiB: 128,
	}))
}
