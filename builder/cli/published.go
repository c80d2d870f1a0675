package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/gardenlinux"
	"github.com/treewright/treewright/builder/gardenlinux/tree"
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

// published reads the tree's flavors.yaml and resolves every entry; nothing is
// returned if there is no such file.
func (c *command) published() ([]listedPublished, error) {
	src, err := c.builder.Tree().ReadFile(tree.PublishedFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, gardenlinux.Unreadable(tree.PublishedFile, err)
	}
	features, err := c.featureTree()
	if err != nil {
		return nil, err
	}
	flavours, files, diags := tree.LoadPublished(src)
	if diags.HasErrors() {
		return nil, &diag.Faults{Files: files, List: diags}
	}
	list := []listedPublished{}
	for _, f := range flavours {
		p := listedPublished{Name: f.Name, Category: f.Category, Arch: f.Arch, Features: []string{}, Uses: append([]string{}, f.Uses...)}
		// Garden Linux lists what it makes in other ways than from features,
		// too, so that this is not a fault of the tree.
		if s, err := features.Resolve(f.Name); err != nil {
			p.Error = gardenlinux.OneLine(err)
		} else {
			p.CNameBase, p.Features = s.CNameBase, s.Features
		}
		list = append(list, p)
	}
	return list, nil
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
