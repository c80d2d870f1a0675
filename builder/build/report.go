package build

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/treewright/treewright/builder/format"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/publish"
	"github.com/treewright/treewright/builder/report"
	"github.com/treewright/treewright/builder/stage/commit"
)

// Report describes what is known of the last finished build, which the manifest m describes.
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
	r.Packages = reported(m.Packages)
	if err := p.measure(r); err != nil {
		return nil, err
	}
	// Somebody may have removed old commits, or the repository.
	if err := b.readCommit(p, m, r); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return r, nil
}

// readCommit fills in what the repository has about the commit: its time, and what changed
// since the parent.
func (b *Builder) readCommit(p *Prepared, m *publish.Manifest, r *report.Report) error {
	name := m.Repository()
	if m.Commit == "" || name == "" {
		return nil
	}
	repo, err := ostree.Open(b.Artifact(p.Subject, name))
	if err != nil {
		return err
	}
	last, err := repo.Commit(m.Commit)
	if err != nil {
		return fmt.Errorf("read the last commit: %w", err)
	}
	r.Time = time.Unix(last.Timestamp, 0).UTC()
	if m.Parent == "" {
		return nil
	}
	return compareWithParent(repo, last, r)
}

// reported are packages of a manifest as reports have them.
func reported(packages []publish.ManifestPackage) []report.Package {
	out := make([]report.Package, len(packages))
	for i, p := range packages {
		out[i] = report.Package{Name: p.Name, Version: p.Version, Architecture: p.Arch, Source: p.Source}
	}
	return out
}

// compareWithParent fills in the packages and files that changed since the parent.
func compareWithParent(repo ostree.Repository, last *format.OSTreeCommit, r *report.Report) error {
	parent, err := repo.Commit(last.Parent)
	if err != nil {
		return fmt.Errorf("read the parent of the last commit: %w", err)
	}
	if lines, ok := parent.Metadata[commit.PackagesKey]; ok {
		r.Changes = report.Compare(report.ParsePackages(lines), r.Packages)
	}
	r.Files, err = ostree.Differences(repo, parent.Tree, repo, last.Tree)
	if err != nil {
		return fmt.Errorf("compare the last commit with its parent: %w", err)
	}
	return nil
}
