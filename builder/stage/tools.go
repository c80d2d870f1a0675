package stage

import (
	"fmt"
	"slices"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/distro"
)

// Purpose is what tools are for. Each purpose has a tools layer of its own, so
// that a program that one of them needs changes the keys of no other.
type Purpose string

// The purposes, by what runs the tools: the steps of a stage, or scripts that run
// outside of the tree.
const (
	ForCommit    Purpose = "commit"
	ForImage     Purpose = "image"
	ForExtension Purpose = "extension"
	ForScripts   Purpose = "script"
)

// Tools are the packages of a tools layer.
type Tools struct {
	// Wants are what Packages were resolved from.
	Wants    []distro.Want
	Packages *distro.Closure
}

// toolPackages are what the stages run, from the flavour's own suite.
var toolPackages = map[Purpose][]string{
	ForCommit:    {"ostree"},
	ForImage:     {"ostree", "e2fsprogs", "dosfstools", "mtools", "fdisk", "grub-common"},
	ForExtension: {"erofs-utils", "squashfs-tools"},
}

// toolPackagesFor are those that an architecture has under a name of its own.
var toolPackagesFor = map[Purpose]map[string][]string{
	ForImage: {"amd64": {"grub-efi-amd64-bin"}, "arm64": {"grub-efi-arm64-bin"}},
}

// ToolWants returns the packages that the tools for a purpose take on an
// architecture. Scripts find the tools of all stages.
func ToolWants(purpose Purpose, arch string) []distro.Want {
	if purpose == ForScripts {
		var all []distro.Want
		for _, of := range []Purpose{ForCommit, ForImage, ForExtension} {
			for _, w := range ToolWants(of, arch) {
				if !slices.Contains(all, w) {
					all = append(all, w)
				}
			}
		}
		return all
	}
	var wants []distro.Want
	for _, name := range slices.Concat(toolPackages[purpose], toolPackagesFor[purpose][arch]) {
		wants = append(wants, distro.Want{Name: name})
	}
	return wants
}

// Purposes returns the purposes that a flavour's plan needs tools for.
func Purposes(spec *compose.Spec) []Purpose {
	var out []Purpose
	if spec.StageFeature("commit") != nil {
		out = append(out, ForCommit)
	}
	if spec.StageFeature("image") != nil {
		out = append(out, ForImage)
	}
	if len(spec.Extensions) > 0 {
		out = append(out, ForExtension)
	}
	if spec.Target != nil || runsPost(spec) {
		out = append(out, ForScripts)
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
func (p *Planner) ToolsLayer(purpose Purpose) (string, error) {
	tools := p.Packages.Tools[purpose]
	if tools.Packages == nil {
		return "", fmt.Errorf("flavour %q: the packages of the tools for the purpose %q were not resolved", p.Spec.Flavour.Name, purpose)
	}
	base, err := p.bootstrap()
	if err != nil {
		return "", err
	}
	return p.install("tools", string(purpose)+"-tools", base, p.Packages.Base, tools.Packages, tools.Wants)
}
