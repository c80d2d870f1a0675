package planner

import (
	"fmt"
	"slices"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/distro"
)

// ToolWants returns the packages of a family that the tools for a purpose take on
// an architecture. Scripts find the tools of all stages, but not those that [Method]
// needs for purposes of its own: another output format is to run no script again.
func ToolWants(d distro.Distro, purpose distro.Purpose, arch string) []distro.Want {
	if purpose != distro.ForScripts {
		return d.Tools(purpose, arch)
	}
	var all []distro.Want
	for _, of := range []distro.Purpose{distro.ForCommit, distro.ForImage, distro.ForExtension} {
		for _, w := range d.Tools(of, arch) {
			if !slices.Contains(all, w) {
				all = append(all, w)
			}
		}
	}
	return all
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

// runsPost says whether a feature has an exec.post.
func runsPost(spec *compose.Spec) bool {
	features := slices.Clone(spec.Features)
	for _, ext := range spec.Extensions {
		features = append(features, ext.Features...)
	}
	for _, f := range features {
		if f.Scripts["exec.post"] {
			return true
		}
	}
	return false
}

// ToolsLayer plans the layer that holds the programs for a purpose. It starts from
// the same bootstrap as the system, so that this is made once.
func (p *Planner) ToolsLayer(purpose distro.Purpose) (string, error) {
	tools := p.Packages.Tools[purpose]
	if tools.Packages == nil {
		return "", fmt.Errorf("flavour %q: the packages of the tools for the purpose %q were not resolved", p.Spec.Flavour.Name, purpose)
	}
	base, err := p.Bootstrap()
	if err != nil {
		return "", err
	}
	return p.Install("tools", string(purpose)+"-tools", base, p.Packages.Base, tools.Packages, tools.Wants)
}
