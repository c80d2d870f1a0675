package gardenlinux

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"runtime"
	"slices"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/gardenlinux/lint"
	"github.com/treewright/treewright/builder/gardenlinux/system"
	"github.com/treewright/treewright/builder/gardenlinux/tree"
	"github.com/treewright/treewright/builder/rules"
	"github.com/treewright/treewright/builder/treefs"
)

// treeCheck gathers all that is to be said of a tree.
type treeCheck struct {
	fsys    *treefs.FS
	project *config.Project
	graph   *compose.Graph // nil if the features have none
	diags   hcl.Diagnostics
	// published is how many flavours the tree lists.
	published int
	tried     []system.Tried
}

// Check implements [rules.Rules]. Faults are found all together; nothing but a
// request that makes no sense keeps the rest from being looked at.
func (r *Rules) Check(ctx context.Context, m rules.Means) (rules.Checked, error) {
	arch := cmp.Or(r.Arch, runtime.GOARCH)
	if !slices.Contains([]string{"amd64", "arm64"}, arch) {
		return rules.Checked{}, diag.Requestf("cnames are for amd64 or arm64, not for %q", arch)
	}
	var t *treeCheck
	var wants []compose.Want
	runs := &treeRuns{}
	runs.scriptsOf(r.Dir)
	err := m.Bounded(func() (err error) {
		if t, err = readTree(r.Tree); err != nil {
			return err
		}
		var ds hcl.Diagnostics
		wants, ds = system.Check(t.project, t.tried, func(lines []config.Line) ([]config.Line, hcl.Diagnostics) {
			plain := runs.plain(arch, lines)
			if r.NoRun {
				return plain, nil
			}
			return expandLines(ctx, arch, lines)
		})
		t.diags = append(t.diags, ds...)
		return nil
	})
	if err != nil {
		return rules.Checked{}, err
	}
	ds, err := r.checkPackages(ctx, m, arch, wants)
	if err != nil {
		return rules.Checked{}, err
	}
	t.diags = append(t.diags, ds...)
	if what := runs.String(); what != "" && r.NoRun {
		r.Say("not run, because of --no-run, so their output is not known: " + what)
	} else if what != "" {
		r.Say("run, in a sandbox: " + what)
	}
	return t.checked()
}

// readTree reads a tree and resolves what it publishes, and each feature alone.
func readTree(fsys *treefs.FS) (*treeCheck, error) {
	project, diags := tree.Load(fsys)
	if project == nil {
		return nil, &diag.Faults{List: diags}
	}
	t := &treeCheck{fsys: fsys, project: project, diags: diags}
	t.features()
	t.diags = append(t.diags, lint.Tree(fsys, project)...)
	if err := t.flavours(); err != nil {
		return nil, err
	}
	if t.graph != nil {
		t.alone()
	}
	return t, nil
}

// features adds what is wrong with features by themselves, and makes the graph.
func (t *treeCheck) features() {
	unread := map[string]bool{}
	for _, d := range t.diags {
		if d.Severity == hcl.DiagError && d.Subject != nil {
			unread[d.Subject.Filename] = true
		}
	}
	features := t.project.SortedFeatures()
	for _, f := range features {
		t.diags = append(t.diags, f.Faults...)
		known := slices.Contains([]config.FeatureType{config.Platform, config.Element, config.Flag}, f.Type)
		if !known && !unread[f.Range.Filename] {
			detail := fmt.Sprintf("Feature %q has no type, so that nothing with it can be built: platform, element or flag.", f.Name)
			if f.Type != "" {
				detail = fmt.Sprintf("Feature %q has the type %q, so that nothing with it can be built; it must be platform, element or flag.", f.Name, f.Type)
			}
			t.diags = append(t.diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Unknown type", Detail: detail, Subject: &f.Range})
		}
	}
	var ds hcl.Diagnostics
	t.graph, ds = compose.NewGraph(features)
	t.diags = append(t.diags, ds...)
}

// flavours resolves what the tree publishes. Garden Linux lists what it makes
// in other ways than from features, too, so that one which does not resolve is
// worth no more than a warning.
func (t *treeCheck) flavours() error {
	src, err := t.fsys.ReadFile(tree.PublishedFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return unreadable(tree.PublishedFile, err)
	}
	flavours, files, ds := tree.LoadPublished(src)
	maps.Copy(t.project.Files, files)
	t.diags = append(t.diags, ds...)
	t.published = len(flavours)
	if t.graph == nil {
		return nil
	}
	features := &Features{project: t.project, graph: t.graph}
	for _, f := range flavours {
		s, err := features.Resolve(f.Name)
		if err != nil {
			at := f.Range
			at.End = at.Start // not all lines of the entry
			t.diags = append(t.diags, &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "Published flavour that does not resolve",
				Detail: f.Name + ": " + oneLine(err), Subject: &at})
			continue
		}
		t.tried = append(t.tried, system.Tried{Selection: s, Name: f.Name, Published: true})
	}
	return nil
}

// alone tries each feature alone. What is wrong with its type or what it
// mentions has been said.
func (t *treeCheck) alone() {
	for _, f := range t.project.SortedFeatures() {
		s, err := t.graph.Select([]string{f.Name}, nil)
		var excluded *compose.ExcludedError
		if errors.As(err, &excluded) {
			t.diags = append(t.diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Feature that cannot be built", Subject: &f.Range,
				Detail: fmt.Sprintf("Feature %q includes, perhaps through others, %q, which excludes it.", f.Name, excluded.By)})
		}
		if err == nil {
			t.tried = append(t.tried, system.Tried{Selection: s, Name: f.Name})
		}
	}
}

// mostShown is how large a file may be, in bytes, for its lines to be shown.
const mostShown = 256 << 10

// show makes the files that messages mention known, so that they show the line.
// A directory has none, and what is too long has none that matters.
func (t *treeCheck) show() {
	for _, d := range config.MostShown(t.diags) {
		if d.Subject == nil || t.project.Files[d.Subject.Filename] != nil {
			continue
		}
		src := []byte{}
		if info, err := t.fsys.Stat(d.Subject.Filename); err == nil && info.Mode().IsRegular() && info.Size() < mostShown {
			if text, err := t.fsys.ReadFile(d.Subject.Filename); err == nil && utf8.Valid(text) {
				src = text
			}
		}
		t.project.Files[d.Subject.Filename] = &hcl.File{Bytes: src}
	}
}

// checked is everything by file and line, and counted.
func (t *treeCheck) checked() (rules.Checked, error) {
	// What belongs to no place is about everything, and comes last.
	at := func(d *hcl.Diagnostic) hcl.Range {
		if d.Subject == nil {
			return hcl.Range{Filename: "\uffff"}
		}
		return *d.Subject
	}
	slices.SortStableFunc(t.diags, func(a, b *hcl.Diagnostic) int {
		return cmp.Or(cmp.Compare(at(a).Filename, at(b).Filename), cmp.Compare(at(a).Start.Line, at(b).Start.Line))
	})
	t.show()
	errs := 0
	for _, d := range t.diags {
		if d.Severity == hcl.DiagError {
			errs++
		}
	}
	looked := diag.Counted(len(t.project.Features), "feature")
	if t.published > 0 {
		looked += " and " + diag.Counted(t.published, "published flavour")
	}
	verdict := "no faults"
	var err error
	if errs > 0 {
		verdict = diag.Counted(errs, "fault")
		err = &diag.Faults{} // all has been found
	}
	return rules.Checked{
		Project: t.project, Found: t.diags, Summary: fmt.Sprintf("%s: %s, %s", looked, verdict, diag.Counted(len(t.diags)-errs, "warning")),
	}, err
}
