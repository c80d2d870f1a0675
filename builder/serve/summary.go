package serve

import (
	"encoding/json"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/publish"
)

// reportName is the report, if somebody put it beside the artifacts: only they know
// whether it is for everybody.
const reportName = "report.html"

// summary is the public part of a manifest: what the artifacts themselves show to those who have them.
// Parameters (except for the name of the remote, which machines have), the addresses of package archives, the tools, and the steps with their keys and
// warnings are not in it.
type summary struct {
	Flavour      string                      `json:"flavour"`
	Description  string                      `json:"description,omitempty"`
	Distribution summaryDistribution         `json:"distribution"`
	Features     []string                    `json:"features"`
	Packages     []distro.Package            `json:"packages"`
	Extensions   map[string][]distro.Package `json:"extensions,omitempty"`
	Ref          string                      `json:"ref,omitempty"`
	// Remote is what machines call the server that they pull from.
	Remote    string                     `json:"remote,omitempty"`
	Commit    string                     `json:"commit,omitempty"`
	Parent    string                     `json:"parent,omitempty"`
	Version   string                     `json:"version,omitempty"`
	SignedBy  string                     `json:"signed_by,omitempty"`
	Artifacts []publish.ManifestArtifact `json:"artifacts"`
}

type summaryDistribution struct {
	Family string `json:"family"`
	Suite  string `json:"suite"`
	Arch   string `json:"arch"`
}

// summarize takes over what is public. The artifacts are those that are served.
func summarize(m *publish.Manifest, served []publish.ManifestArtifact) summary {
	s := summary{
		Flavour: m.Flavour, Description: m.Description, Features: m.Features, SignedBy: m.SignedBy,
		Distribution: summaryDistribution{m.Distribution.Family, m.Distribution.Suite, m.Distribution.Arch},
		Packages:     plain(m.Packages), Ref: m.Ref, Remote: remoteName(m), Commit: m.Commit, Parent: m.Parent, Version: m.Version, Artifacts: served,
	}
	for name, packages := range m.Extensions {
		if s.Extensions == nil {
			s.Extensions = map[string][]distro.Package{}
		}
		s.Extensions[name] = plain(packages)
	}
	return s
}

// remoteName is the parameter of the feature that adds the commit stage, which others
// do not have all of.
func remoteName(m *publish.Manifest) string {
	if m.Ref == "" {
		return ""
	}
	for _, parameters := range m.Parameters {
		name, named := parameters["remote_name"].(string)
		if _, commits := parameters["os_name"]; named && commits {
			return name
		}
	}
	return "main"
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
