package gardenlinux

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/gardenlinux/tree"
	"github.com/treewright/treewright/builder/treefs"
)

// Features are those of a tree, by the rules of the Garden Linux builder.
type Features struct {
	project *config.Project
	graph   *compose.Graph
}

// readDirectory reads a directory of features, within bounds.
func readDirectory(dir, shown string, bounded func(func() error) error) (features *Features, err error) {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, diag.Requestf("%s is not a directory of features (choose one with --feature-dir)", dir)
	}
	err = bounded(func() error {
		features, err = readFeatures(treefs.New(dir), shown)
		return err
	})
	return features, err
}

// readFeatures reads the directory of features that messages call shown.
func readFeatures(fsys fs.FS, shown string) (*Features, error) {
	read, diags := tree.LoadFeatures(fsys, shown)
	project := &config.Project{Features: map[string]*config.Feature{}, Files: read.Files}
	for _, f := range read.Features {
		project.Features[f.Name] = f
	}
	if diags.HasErrors() {
		// The faults of single files would be repeated as unknown features.
		return nil, &diag.Faults{Files: project.Files, List: diags}
	}
	return newFeatures(project, read.Features)
}

// newFeatures takes a project's features, in any order, by the Garden Linux builder's
// rules.
func newFeatures(project *config.Project, features []*config.Feature) (*Features, error) {
	t := &Features{project: project}
	var diags hcl.Diagnostics
	if t.graph, diags = compose.NewGraph(features); diags.HasErrors() {
		return nil, &diag.Faults{Files: project.Files, List: diags}
	}
	return t, nil
}

// Select asks the core, and turns what it says into errors for people.
func (t *Features) Select(asked, ignore []string) (*compose.Selection, error) {
	s, err := t.graph.Select(asked, ignore)
	var notFound *compose.NotFoundError
	var badType *compose.TypeError
	switch {
	case errors.As(err, &notFound) && !notFound.Ignored:
		hint := ""
		if len(notFound.Name) < 100 {
			if near := config.Suggest(notFound.Name, slices.Sorted(maps.Keys(t.project.Features))); near != "" {
				hint = fmt.Sprintf("; did you mean %q?", near)
			}
		}
		return nil, diag.Requestf("there is no feature %s%s", quoted(notFound.Name), hint)
	case errors.As(err, &badType):
		return nil, t.typeFault(badType.Name)
	case err != nil:
		return nil, err
	}
	// The Garden Linux builder does not know our own fourth type.
	for _, name := range s.Features {
		if t.project.Features[name].Type == config.Extension {
			return nil, t.typeFault(name)
		}
	}
	return s, nil
}

func (t *Features) typeFault(name string) error {
	f := t.project.Features[name]
	detail := fmt.Sprintf("%q was requested and has no type; it must be platform, element or flag.", name)
	if f.Type != "" {
		detail = fmt.Sprintf("%q was requested and has the type %q; it must be platform, element or flag.", name, f.Type)
	}
	return &diag.Faults{Files: t.project.Files, List: hcl.Diagnostics{{
		Severity: hcl.DiagError, Summary: "Unknown type", Detail: detail, Subject: &f.Range,
	}}}
}

// Resolve works out a cname whose features must have one platform.
func (t *Features) Resolve(name string) (*compose.Selection, error) {
	asked, err := (&Query{CName: name}).Asked()
	if err != nil {
		return nil, err
	}
	s, err := t.Select(asked.Features, nil)
	if err != nil {
		return nil, err
	}
	if problem := platformProblem(s); problem != "" {
		return nil, errors.New(problem)
	}
	return s, nil
}

// unreadable is the fault of a file of the tree that cannot be read.
func unreadable(name string, err error) error {
	return &diag.Faults{List: hcl.Diagnostics{{
		Severity: hcl.DiagError, Summary: "Cannot read file", Detail: err.Error() + ".",
		Subject: &hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.InitialPos},
	}}}
}
