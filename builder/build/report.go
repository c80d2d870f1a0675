package build

import (
	"fmt"
	"strings"

	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/publish"
	"github.com/treewright/treewright/builder/report"
	"github.com/treewright/treewright/builder/stage/commit"
)

// Report says what is known of the last finished build, which the manifest m describes.
// The graph is left empty. It is an error if the plan is not that of this build any more, or if
// results of it are not in the cache: then a build is needed first.
func (b *Builder) Report(p *Prepared, m *publish.Manifest) (*report.Report, error) {
	r := &report.Report{
		Flavour: m.Flavour, Description: strings.TrimSuffix(m.Description, "."),
		System: fmt.Sprintf("%s %s, %s", strings.ToUpper(m.Distribution.Family[:1])+m.Distribution.Family[1:], m.Distribution.Suite, m.Distribution.Arch),
		Ref:    m.Ref, Commit: m.Commit, Version: m.Version, Parent: m.Parent,
	}
	at := map[string]int{}
	for i, s := range m.Steps {
		at[s.ID] = i
		step := report.Step{ID: s.ID, Seconds: s.Seconds, Cached: s.Cached}
		if planned := p.Graph.Step(s.ID); planned != nil {
			step.Title = planned.Title
			for _, need := range p.Graph.Needs(s.ID) {
				if n, ok := at[need]; ok {
					step.Needs = append(step.Needs, n)
				}
			}
		}
		r.Steps = append(r.Steps, step)
		for _, w := range s.Warnings {
			r.Warnings = append(r.Warnings, report.Warning{Step: s.ID, Text: w})
		}
	}
	for _, a := range m.Artifacts {
		r.Artifacts = append(r.Artifacts, report.Artifact{Name: a.Name, Kind: string(a.Kind), Description: a.Description, Bytes: a.Size, SHA256: a.SHA256})
	}
	for _, a := range m.Packages {
		r.Packages = append(r.Packages, report.Package{Name: a.Name, Version: a.Version, Architecture: a.Arch, Source: a.Source})
	}
	if err := p.measure(r); err != nil {
		return nil, err
	}
	return r, b.compareWithParent(p, m, r)
}

// compareWithParent fills in the changes since the parent, if the repository still has
// it.
func (b *Builder) compareWithParent(p *Prepared, m *publish.Manifest, r *report.Report) error {
	if m.Parent == "" {
		return nil
	}
	for _, a := range m.Artifacts {
		if a.Kind != plan.RepositoryArtifact {
			continue
		}
		repo, err := ostree.Open(b.Artifact(p.Subject, a.Name))
		if err != nil {
			return err
		}
		parent, err := repo.Commit(m.Parent)
		if err != nil {
			return fmt.Errorf("read the parent of the last commit: %w", err)
		}
		lines, ok := parent.Metadata[commit.PackagesKey]
		if !ok {
			return nil
		}
		r.Changes = report.Compare(report.ParsePackages(lines), r.Packages)
	}
	return nil
}
