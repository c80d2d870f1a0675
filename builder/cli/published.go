package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
)

// listedPublished is a flavour of a Garden Linux tree's flavors.yaml.
type listedPublished struct {
	Name     string `json:"name"`
	Category string `json:"category"`
	Arch     string `json:"arch"`
	// CNameBase is what the features are called canonically; "" if they do
	// not resolve, for which Error gives the reason.
	CNameBase string   `json:"cname_base"`
	Features  []string `json:"features"`
	// Uses are those of build, test, test-platform and publish that hold.
	Uses  []string `json:"uses"`
	Error string   `json:"error,omitempty"`
}

// unreadable is the fault of a file of the tree that cannot be read.
func unreadable(name string, err error) error {
	return &diag.Faults{List: hcl.Diagnostics{{
		Severity: hcl.DiagError, Summary: "Cannot read file", Detail: err.Error() + ".",
		Subject: &hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.InitialPos},
	}}}
}

// published reads the tree's flavors.yaml and resolves every entry; nothing is
// returned if there is no such file.
func (c *command) published() ([]listedPublished, error) {
	src, err := c.builder.Tree().ReadFile(config.PublishedFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, unreadable(config.PublishedFile, err)
	}
	tree, err := c.featureTree()
	if err != nil {
		return nil, err
	}
	flavours, files, diags := config.LoadPublished(src)
	if diags.HasErrors() {
		return nil, &diag.Faults{Files: files, List: diags}
	}
	list := []listedPublished{}
	for _, f := range flavours {
		p := listedPublished{Name: f.Name, Category: f.Category, Arch: f.Arch, Features: []string{}, Uses: notNil(f.Uses)}
		// Garden Linux lists what it makes in other ways than from features,
		// too, so that this is no fault of the tree.
		if s, err := tree.resolve(f.Name); err != nil {
			p.Error = oneLine(err)
		} else {
			p.CNameBase, p.Features = s.CNameBase, s.Features
		}
		list = append(list, p)
	}
	return list, nil
}

// resolve works out a cname whose features must have one platform.
func (t *foreignTree) resolve(name string) (*compose.Selection, error) {
	asked, err := (&featureQuery{CName: name}).asked()
	if err != nil {
		return nil, err
	}
	s, err := t.selectFeatures(asked.features, nil)
	if err != nil {
		return nil, err
	}
	if problem := platformProblem(s); problem != "" {
		return nil, errors.New(problem)
	}
	return s, nil
}

// listPublished writes a table, and a warning for each flavour that cannot be
// made from the tree's features.
func listPublished(w, warnings io.Writer, list []listedPublished) {
	fmt.Fprintln(w, "PUBLISHED FLAVOUR\tCNAME\tARCH\tCATEGORY\tUSES")
	for _, f := range list {
		if f.Error != "" {
			fmt.Fprintf(warnings, "treewright: warning: %s does not resolve: %s\n", f.Name, f.Error)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", f.Name, orDash(f.CNameBase), f.Arch, orDash(f.Category), orDash(strings.Join(f.Uses, " ")))
	}
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
