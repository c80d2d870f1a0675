package gardenlinux

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/gardenlinux/tree"
	"github.com/treewright/treewright/builder/rules"
)

// listedFlavour is a flavour of a tree's flavors.yaml.
type listedFlavour struct {
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

// Listed implements [rules.Rules]: it reads the tree's flavors.yaml and resolves
// every entry.
func (r *Rules) Listed(_ *config.Project, m rules.Means) (*rules.Listed, error) {
	src, err := r.Tree.ReadFile(tree.PublishedFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, unreadable(tree.PublishedFile, err)
	}
	features, err := readDirectory(filepath.Join(r.Dir, config.FeaturesDir), config.FeaturesDir, m.Bounded)
	if err != nil {
		return nil, err
	}
	flavours, files, diags := tree.LoadPublished(src)
	if diags.HasErrors() {
		return nil, &diag.Faults{Files: files, List: diags}
	}
	out := &rules.Listed{Name: "published", Columns: []string{"PUBLISHED FLAVOUR", "CNAME", "ARCH", "CATEGORY", "USES"}}
	for _, f := range flavours {
		l := listedFlavour{Name: f.Name, Category: f.Category, Arch: f.Arch, Features: []string{}, Uses: append([]string{}, f.Uses...)}
		// Garden Linux lists what it makes in other ways than from features,
		// too, so that this is not a fault of the tree.
		if s, err := features.Resolve(f.Name); err != nil {
			l.Error = oneLine(err)
			out.Warnings = append(out.Warnings, fmt.Sprintf("%s does not resolve: %s", f.Name, l.Error))
		} else {
			l.CNameBase, l.Features = s.CanonicalName, s.Features
		}
		out.Entries = append(out.Entries, l)
		out.Rows = append(out.Rows, []string{f.Name, orDash(l.CNameBase), f.Arch, orDash(f.Category), orDash(strings.Join(f.Uses, " "))})
	}
	return out, nil
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
