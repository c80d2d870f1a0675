package build

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/account"
	"github.com/treewright/treewright/builder/config"
)

// accountsMoved finds lines of the tree's file accounts that want another number
// than the flavour's history has.
func accountsMoved(lines []config.Account, history account.Ledger) hcl.Diagnostics {
	var diags hcl.Diagnostics
	look := func(a config.Account, what string, id uint32, have map[string]uint32) {
		detail := ""
		if old, ok := have[a.Name]; ok && old != id {
			detail = fmt.Sprintf("The %s %s has the number %d in the newest commit, so files on machines have it too. Write %d here, or start a separate history for this system.", what, a.Name, old, old)
		}
		for name, old := range have {
			if _, known := have[a.Name]; !known && old == id {
				detail = fmt.Sprintf("In the history of this flavour, %d is the number of the %s %s and cannot change. Give %s another number.", id, what, name, a.Name)
			}
		}
		if detail != "" {
			diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Number that cannot be kept", Detail: detail, Subject: a.Range.Ptr()})
		}
	}
	for _, a := range lines {
		if uid, ok := a.UID(); ok {
			look(a, "user", uid, history.Users)
		}
		if gid, ok := a.GID(); ok {
			look(a, "group", gid, history.Groups)
		}
	}
	return diags
}
