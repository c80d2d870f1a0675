package compose

import (
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
)

// render fills in the templates of all selected features. What they come to is
// generated, and judged as the files of a feature are.
func (s *Spec) render(p *config.Project) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, name := range s.selection.Features {
		f := p.Features[name]
		for _, t := range f.Templates {
			g := config.Generated{Path: t.Path, Source: t.Dir, Target: t.Target, Executable: t.Executable, Range: config.FileStart(t.Name)}
			if t.Target == "" && t.Dir == "" {
				content, ds := t.Render(s.names(f))
				if diags = append(diags, ds...); ds.HasErrors() {
					continue
				}
				g.Content = content
				allowed := slices.ContainsFunc(f.Secrets, func(l config.Line) bool { return l.Text == t.Path })
				if what := config.Secret(t.Path, content); what != "" && !allowed {
					diags = append(diags, config.SecretFile(f, t.Name, t.Path, what))
				}
			}
			s.Generated[name] = append(s.Generated[name], g)
		}
	}
	return diags
}

// names is what the templates of a feature can mention: [config.Facts], and the
// feature's parameters.
func (s *Spec) names(f *config.Feature) map[string]any {
	d := s.Flavour.Distribution
	// The system's alone, as scripts are told: one extension more does not make other
	// files of the system.
	features := []string{}
	for _, f := range s.Features {
		features = append(features, f.Name)
	}
	names := map[string]any{
		"suite": d.Suite, "arch": d.Arch, "family": d.Family, "flavour": s.Flavour.Name, "description": s.Flavour.Description,
		"mirror": WithoutPassword(d.Mirror), "components": d.Components, "features": features,
	}
	for name, v := range s.Parameters[f.Name] {
		names[name] = v.Any
	}
	return names
}
