package gardenlinux

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/gardenlinux/stages"
	"github.com/treewright/treewright/builder/gardenlinux/system"
	"github.com/treewright/treewright/builder/gardenlinux/tree"
	"github.com/treewright/treewright/builder/publish"
	"github.com/treewright/treewright/builder/rules"
)

// Load implements [rules.Rules].
func (r *Rules) Load() (*config.Project, hcl.Diagnostics) { return tree.Load(r.Tree) }

// LenientLinks implements [rules.Rules].
func (r *Rules) LenientLinks() bool { return true }

// Resolve implements [rules.Rules]. In a tree with flavours a name of which no
// part is a feature was meant for those.
func (r *Rules) Resolve(ctx context.Context, p *config.Project, name string) (*rules.Subject, error) {
	asked, err := (&Query{CName: name}).Asked()
	if err != nil || r.BesideFlavours && !anyFeature(p, asked.Features) {
		return nil, nil
	}
	sel, err := r.selected(p, asked)
	if err != nil {
		return nil, err
	}
	says, err := r.treeSays(ctx)
	if err != nil {
		return nil, err
	}
	asked.Arch = cmp.Or(asked.Arch, runtime.GOARCH)
	if asked.Version == "" {
		if asked.Version, err = says.version(ctx); err != nil {
			return nil, err
		}
	}
	f := &config.Flavour{
		Name: CName(sel, asked),
		Distribution: config.Distribution{
			Family: family, Suite: asked.Version, Arch: asked.Arch, Mirror: says.mirror, Components: []string{"main"}, Keyring: says.keyring,
		},
	}
	features := system.Features{Suite: true}
	if !r.BesideFlavours {
		features = system.Features{Expand: func(lines []config.Line) ([]config.Line, hcl.Diagnostics) { return expandLines(ctx, asked.Arch, lines) }}
	}
	s, diags := system.Resolve(p, f, sel, system.Name{CName: f.Name, Version: asked.Version, Commit: says.commit, Timestamp: says.timestamp}, features)
	if diags.HasErrors() {
		return nil, &diag.Faults{Files: p.Files, List: diags}
	}
	return r.subject(p, name, s, says, diags), nil
}

// anyFeature reports whether a name that is not a flavour's may have been meant as a
// cname.
func anyFeature(p *config.Project, names []string) bool {
	for _, name := range names {
		if p.Features[name] != nil {
			return true
		}
	}
	return false
}

// selected selects what was asked for, which must have one platform.
func (r *Rules) selected(p *config.Project, asked Asked) (*compose.Selection, error) {
	features, err := newFeatures(p, p.SortedFeatures())
	if err != nil {
		return nil, err
	}
	sel, err := features.Select(asked.Features, nil)
	if err != nil {
		return nil, err
	}
	if problem := platformProblem(sel); problem != "" {
		if !r.AllowFrankenstein {
			return nil, fmt.Errorf("%s; --allow-frankenstein accepts that", problem)
		}
		r.Say("warning: " + problem)
	}
	return sel, nil
}

// subject is how a cname that was worked out is built.
func (r *Rules) subject(p *config.Project, name string, s *system.System, says *treeSettings, warnings hcl.Diagnostics) *rules.Subject {
	own := says.keyring
	if own == r.Distro.DefaultKeyring() {
		own = "" // this machine's is not the system's
	}
	cname, debians := s.Flavour.Name, s.Flavour.Distribution
	debians.Mirror, debians.Suite, debians.Keyring = defaultMirror, defaultVersion, ""
	return &rules.Subject{
		Name: name, Project: p, Spec: s.Spec, Warnings: warnings,
		Method: stages.Method(s, stages.Tree{
			Mirror: compose.WithoutPassword(says.mirror), Suite: s.Name.Version, Keyring: own, TempSize: says.tempSize, Network: r.Network,
		}),
		Output: func(root string) publish.Output { return publish.PrivateOutput(root, outputKind, cname) },
		Names:  names{base: s.Name.Base(), link: name, listed: s.Listed()},
		Images: imagesOf(s.Artifacts), NoImage: cname + " has no disk image (.raw): its features make something else",
		NoUpgrade:    fmt.Sprintf("--upgrade works only for flavours that make commits: the image of the cname %q has no remote", name),
		MachineTools: &debians,
	}
}

// imagesOf are the disk images that a machine can be started with: the raw one, or
// else the only one that a feature makes under another name (ostree.raw).
func imagesOf(artifacts []system.Artifact) []rules.Image {
	var others []rules.Image
	for _, a := range artifacts {
		image := rules.Image{Name: a.Extension, Format: "raw"}
		if a.Extension == "raw" {
			return []rules.Image{image}
		}
		if strings.HasSuffix(a.Extension, ".raw") {
			others = append(others, image)
		}
	}
	if len(others) > 1 {
		return nil
	}
	return others
}
