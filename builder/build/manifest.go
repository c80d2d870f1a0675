package build

import (
	"maps"
	"slices"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/publish"
	"github.com/treewright/treewright/builder/stage/image"
)

// manifest describes what is built: the flavour, its parameters, the packages that
// were resolved.
func (p *Prepared) manifest() *publish.Manifest {
	spec := p.Subject.Spec
	d := spec.Flavour.Distribution
	m := &publish.Manifest{
		Flavour: spec.Flavour.Name, Description: spec.Flavour.Description, CanonicalName: spec.CanonicalName,
		Distribution: publish.ManifestDistribution{Family: d.Family, Suite: d.Suite, Arch: d.Arch, Mirror: d.Mirror, Sources: manifestSources(p.Releases)},
		Parameters:   map[string]map[string]any{}, Extensions: map[string][]publish.ManifestPackage{},
		Packages: publish.ManifestPackages(p.Packages.System), Listens: append([]string{}, spec.Listens...), KernelArgs: image.KernelArgs(spec),
	}
	if len(p.Releases) > 0 {
		m.Distribution.Release = p.Releases[0].SHA256
	}
	for _, f := range spec.Features {
		m.Features = append(m.Features, f.Name)
	}
	for _, e := range spec.Extensions {
		for _, f := range e.Features {
			m.Features = append(m.Features, f.Name)
		}
		m.Extensions[e.Name] = publish.ManifestPackages(p.Packages.Extensions[e.Name].Minus(p.Packages.System))
	}
	if pool := p.pool(); pool != nil {
		m.Pool = publish.ManifestPackages(&distro.Closure{Packages: pool})
	}
	for _, purpose := range slices.Sorted(maps.Keys(p.Packages.Tools)) {
		tools := p.Packages.Tools[purpose]
		t := publish.ManifestTools{Purpose: string(purpose), Suite: d.Suite, Arch: d.Arch, Release: m.Distribution.Release, Packages: publish.ManifestPackages(tools.Packages)}
		if from := tools.From; from != nil {
			t.Suite, t.Arch, t.Release = from.Suite, from.Arch, from.Release
		}
		if tools.Data != nil {
			t.Packages = append(t.Packages, publish.ManifestPackages(tools.Data)...)
		}
		m.Tools = append(m.Tools, t)
	}
	for feature, values := range spec.Parameters {
		for name, v := range values {
			if m.Parameters[feature] == nil {
				m.Parameters[feature] = map[string]any{}
			}
			m.Parameters[feature][name] = v.Any
		}
	}
	return m
}
