package compose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
)

// mostNamed is how many flavours a sentence names.
const mostNamed = 3

// NoUpgrade warns, once for all flavours of a project without errors, of images whose
// machines have nowhere to upgrade from.
func NoUpgrade(p *config.Project) hcl.Diagnostics {
	var names []string
	var at hcl.Range
	feature := ""
	for _, f := range p.Flavours {
		spec, diags := Resolve(p, f)
		if diags.HasErrors() {
			continue // [Check] tells
		}
		commit := spec.StageFeature("commit")
		if commit == nil || spec.StageFeature("image") == nil {
			continue
		}
		declared := slices.ContainsFunc(commit.Parameters, func(p config.Parameter) bool { return p.Name == "remote_url" })
		if !declared || spec.Parameters[commit.Name]["remote_url"].String() != "" {
			continue
		}
		if names = append(names, fmt.Sprintf("%q", f.Name)); len(names) == 1 {
			at, feature = f.Range, commit.Name
		}
	}
	if len(names) == 0 {
		return nil
	}
	who := "flavour " + names[0]
	if len(names) > 1 {
		who = "flavours " + strings.Join(names[:min(len(names), mostNamed)], ", ")
	}
	if more := len(names) - mostNamed; more > 0 {
		who += fmt.Sprintf(" and %d more", more)
	}
	return hcl.Diagnostics{warning("Machines that cannot upgrade",
		fmt.Sprintf("Images of %s have no remote to upgrade from. If machines are to be installed from them, set remote_url of %s to where they can reach the repository.", who, feature), at)}
}
