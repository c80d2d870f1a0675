package serve

import (
	"encoding/json"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/publish"
)

// reportName is the report, if somebody put it beside the artifacts: only they know
// whether it is for everybody.
const reportName = "report.html"

// summary is the public part of a manifest: what the artifacts themselves tell whoever has them.
// Parameters, the addresses of package archives, the tools, and the steps with their keys and
// warnings are not in it.
type summary struct {
	Flavour      string                      `json:"flavour"`
	Description  string                      `json:"description,omitempty"`
	Distribution summaryDistribution         `json:"distribution"`
	Features     []string                    `json:"features"`
	Packages     []distro.Package            `json:"packages"`
	Extensions   map[string][]distro.Package `json:"extensions,omitempty"`
	Ref          string                      `json:"ref,omitempty"`
	Commit       string                      `json:"commit,omitempty"`
	Parent       string                      `json:"parent,omitempty"`
	Version      string                      `json:"version,omitempty"`
	Artifacts    []publish.ManifestArtifact  `json:"artifacts"`
}

type summaryDistribution struct {
	Family string `json:"family"`
	Suite  string `json:"suite"`
	Arch   string `json:"arch"`
}

// summarize takes over what is public. The artifacts are those that are served.
func summarize(m *publish.Manifest, served []publish.ManifestArtifact) summary {
	s := summary{
		Flavour: m.Flavour, Description: m.Description, Features: m.Features,
		Distribution: summaryDistribution{m.Distribution.Family, m.Distribution.Suite, m.Distribution.Arch},
		Packages:     plain(m.Packages), Ref: m.Ref, Commit: m.Commit, Parent: m.Parent, Version: m.Version, Artifacts: served,
	}
	for name, packages := range m.Extensions {
		if s.Extensions == nil {
			s.Extensions = map[string][]distro.Package{}
		}
		s.Extensions[name] = plain(packages)
	}
	return s
}

func plain(packages []publish.ManifestPackage) []distro.Package {
	out := make([]distro.Package, len(packages))
	for i, p := range packages {
		out[i] = p.Package
	}
	return out
}

func (s summary) json() []byte {
	raw, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		panic(err) // strings and numbers can always be written
	}
	return append(raw, '\n')
}
