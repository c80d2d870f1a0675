package build

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/bom"
	"github.com/treewright/treewright/builder/cves"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/download"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/publish"
	"github.com/treewright/treewright/builder/stage/bill"
)

// largestTracker is the size of the largest data of a security tracker that are read, in bytes.
const largestTracker = 2 << 30

// CVERequest has what is compared.
type CVERequest struct {
	// Subject is what was built, nil if Bills are given without a flavour.
	Subject *Subject
	// Bills are files with bills of materials in CycloneDX. With none, those of the last
	// build of the subject are read.
	Bills []string
	// Data is the tracker's data: a file, a URL, or "" for the tracker of the family.
	Data string
	// Release is the code name of the release, "" for the one that the bills name.
	Release string
	// Least is the urgency below which faults are only counted, of [cves.Urgencies].
	Least string
	// Day is today, as YYYY-MM-DD.
	Day string
}

// CVEReport is what was found.
type CVEReport struct {
	Release string         `json:"release"`
	Data    string         `json:"data"`
	Bills   []string       `json:"bills"`
	Counts  map[string]int `json:"counts"`
	// Below is the number of faults with less urgency than asked for.
	Below int `json:"below_urgency"`
	// LeftOut has, by vendor, the number of packages that are not of the distribution, which
	// the tracker does not have.
	LeftOut  map[string]int `json:"left_out"`
	Packages int            `json:"packages"`
	// Findings are sorted: faults that an update fixes are first.
	Findings []cves.Finding `json:"findings"`
	// Warnings are of the rules; Files has the text of their file.
	Files    map[string]*hcl.File `json:"-"`
	Warnings hcl.Diagnostics      `json:"-"`
}

// Failing reports whether there are faults that are not ignored; of those with an update
// only if fixedOnly is set.
func (r *CVEReport) Failing(fixedOnly bool) bool {
	return r.Counts[string(cves.Fixed)] > 0 || !fixedOnly && r.Counts[string(cves.Open)] > 0
}

// CVEs compares bills of materials with the data of a security tracker. Faults of the file
// with rules are a *[diag.Faults].
func (b *Builder) CVEs(ctx context.Context, q CVERequest, sink event.Sink) (*CVEReport, error) {
	r := &CVEReport{Counts: map[string]int{}, LeftOut: map[string]int{}, Findings: []cves.Finding{}}
	flavour, family := "", Families[0]
	if q.Subject != nil {
		flavour = q.Subject.Flavour()
		var err error
		if family, err = b.distro(q.Subject); err != nil {
			return nil, err
		}
	}
	rules, err := b.cveRules(r)
	if err != nil {
		return nil, err
	}
	parts, err := b.cveParts(q, family, r)
	if err != nil {
		return nil, err
	}
	if r.Packages == 0 {
		return nil, fmt.Errorf("none of the packages in %s is of the distribution %q, so its security tracker knows nothing of them", strings.Join(r.Bills, ", "), family.Name())
	}
	issues, err := b.issues(ctx, q, family, parts, r, reporter{sink})
	if err != nil {
		return nil, err
	}
	found, below, warnings := cves.Match(parts, issues, family.CompareVersions, q.Least, cves.For(rules, flavour), q.Day)
	r.Findings, r.Below, r.Warnings = append(r.Findings, found...), below, warnings // in JSON, none is []
	for _, f := range r.Findings {
		r.Counts[string(f.State)]++
	}
	return r, nil
}

// cveRules reads the rules of the tree; none if it has no file with some.
func (b *Builder) cveRules(r *CVEReport) ([]cves.Rule, error) {
	text, err := os.ReadFile(filepath.Join(b.options.Tree, cves.RulesFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r.Files = map[string]*hcl.File{cves.RulesFile: {Bytes: text}}
	rules, found := cves.ReadRules(cves.RulesFile, text, b.FlavourNames())
	if found.HasErrors() {
		return nil, &diag.Faults{Files: r.Files, List: found}
	}
	return rules, nil
}

// bills are the files with the bills of the last build of a subject.
func (b *Builder) bills(s *Subject) ([]string, error) {
	m, err := publish.ReadManifest(b.Output(s))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, diag.Suggest(fmt.Errorf("%s was not built yet", s.Flavour()), s.Flavour(), "builds it")
	}
	if err != nil {
		return nil, err
	}
	var files []string
	for _, a := range m.Artifacts {
		if strings.HasSuffix(a.Name, bill.CycloneDXEnding) {
			files = append(files, b.Artifact(s, a.Name))
		}
	}
	if len(files) == 0 {
		return nil, diag.Suggest(fmt.Errorf("the last build of %s made no bill of materials: an earlier version built it, bill_of_materials is false, or it has no commit", s.Flavour()), s.Flavour(), "builds it again")
	}
	return files, nil
}

// cveParts reads the bills. What is not of the distribution is counted.
func (b *Builder) cveParts(q CVERequest, family distro.Distro, r *CVEReport) ([]cves.Part, error) {
	files := q.Bills
	if len(files) == 0 {
		var err error
		if files, err = b.bills(q.Subject); err != nil {
			return nil, err
		}
	}
	releases := map[string]bool{}
	var parts []cves.Part
	for _, file := range files {
		part, err := readPart(file, family, r, releases)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	r.Bills = files
	if r.Release = q.Release; r.Release != "" {
		return parts, nil
	}
	names := slices.Sorted(maps.Keys(releases))
	switch {
	case len(names) == 1:
		r.Release = names[0]
	case len(names) == 0 && r.Packages > 0:
		return nil, diag.Requestf("the bill of materials does not name the release of its packages; give it with --release")
	case len(names) > 1:
		return nil, diag.Requestf("the bills of materials have packages of several releases, %s; choose one with --release", strings.Join(names, " and "))
	}
	return parts, nil
}

// readPart reads a bill.
func readPart(file string, family distro.Distro, r *CVEReport, releases map[string]bool) (cves.Part, error) {
	f, err := os.Open(file)
	if err != nil {
		return cves.Part{}, fmt.Errorf("read the bill of materials: %w", err)
	}
	defer f.Close()
	name, purls, err := bom.ReadCycloneDX(f)
	if err != nil {
		return cves.Part{}, fmt.Errorf("%s: %w", file, err)
	}
	if name == "" {
		name = filepath.Base(file)
	}
	part := cves.Part{Name: name}
	for _, purl := range purls {
		d, vendor, release, ok := family.Database().ReadPURL(purl)
		switch {
		case !ok:
			r.LeftOut["another kind of package"]++
		case vendor != family.Name():
			r.LeftOut[vendor]++
		default:
			part.Packages = append(part.Packages, d)
			r.Packages++
			if release != "" {
				releases[release] = true
			}
		}
	}
	return part, nil
}

// issues reads the tracker's data.
func (b *Builder) issues(ctx context.Context, q CVERequest, family distro.Distro, parts []cves.Part, r *CVEReport, log reporter) ([]distro.Issue, error) {
	wanted := map[string]bool{}
	for _, p := range parts {
		for _, d := range p.Packages {
			wanted[d.Source] = true
		}
	}
	read := func(from io.Reader) (issues []distro.Issue, err error) {
		limited := &io.LimitedReader{R: from, N: largestTracker}
		issues, err = family.Issues(limited, r.Release, func(source string) bool { return wanted[source] })
		if limited.N == 0 {
			return nil, fmt.Errorf("more than %d GiB", largestTracker>>30)
		}
		return issues, err
	}
	if r.Data = q.Data; r.Data == "" {
		r.Data = family.TrackerURL()
	}
	if strings.HasPrefix(r.Data, "http://") || strings.HasPrefix(r.Data, "https://") {
		if b.options.Offline {
			return nil, diag.Requestf("--offline keeps from asking %s; give a file with --db", r.Data)
		}
		timing := download.Patient
		timing.Pauses = timing.Pauses[:3]
		a, err := b.archives(ctx, family, log, timing)
		if err != nil {
			return nil, err
		}
		return trackerAt(ctx, a.client, r.Data, read)
	}
	f, err := os.Open(r.Data)
	if err != nil {
		return nil, fmt.Errorf("read the data of the security tracker: %w", err)
	}
	defer f.Close()
	issues, err := read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.Data, err)
	}
	return issues, nil
}

// trackerAt reads the tracker's data from a URL.
func trackerAt(ctx context.Context, client *download.Client, url string, read func(io.Reader) ([]distro.Issue, error)) (issues []distro.Issue, err error) {
	err = client.Try(ctx, url, func() error {
		body, err := client.Open(ctx, url)
		if err != nil {
			return err
		}
		defer body.Close()
		issues, err = read(body)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("get the data of the security tracker from %s: %w", url, err)
	}
	return issues, nil
}

// Today is the day in UTC, as YYYY-MM-DD.
func Today() string { return time.Now().UTC().Format(time.DateOnly) }
