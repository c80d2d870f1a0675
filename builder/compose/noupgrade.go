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

// NoUpgrade finds images whose machines have nowhere to upgrade from, among the flavours that
// it has seen.
type NoUpgrade struct {
	names   []string
	at      hcl.Range // of the first one
	feature string    // of its commit
}

// See takes in a flavour.
func (n *NoUpgrade) See(spec *Spec) {
	commit := spec.StageFeature("commit")
	if commit == nil || spec.StageFeature("image") == nil {
		return
	}
	declared := slices.ContainsFunc(commit.Parameters, func(p config.Parameter) bool { return p.Name == "remote_url" })
	if !declared || spec.Parameters[commit.Name]["remote_url"].String() != "" {
		return
	}
	if n.names = append(n.names, fmt.Sprintf("%q", spec.Flavour.Name)); len(n.names) == 1 {
		n.at, n.feature = spec.Flavour.Range, commit.Name
	}
}

// Warning is one for all of these flavours together; none, if there are none.
func (n *NoUpgrade) Warning() hcl.Diagnostics {
	names, at, feature := n.names, n.at, n.feature
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
