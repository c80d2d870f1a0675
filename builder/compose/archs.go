package compose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
)

// archFaults finds packages for architectures that a flavour does not have.
func archFaults(f *config.Flavour, lists ...[]Want) hcl.Diagnostics {
	var diags hcl.Diagnostics
	d := f.Distribution
	for _, w := range slices.Concat(lists...) {
		_, arch, named := strings.Cut(w.Name, ":")
		if !named || arch == d.Arch || arch == "all" || slices.Contains(d.Architectures, arch) {
			continue
		}
		if arch == "any" || arch == "native" {
			name, _, _ := strings.Cut(w.Name, ":")
			diags = append(diags, fault("Package for another architecture",
				fmt.Sprintf("%q is not an architecture that a package can be installed for: write %s, for that of the system.", arch, name), w.Range))
			continue
		}
		diags = append(diags, fault("Package for another architecture",
			fmt.Sprintf("%s is for %s, and flavour %q is for %s. Write %s in its distribution to install such packages.", w.Name, arch, f.Name, strings.Join(append([]string{d.Arch}, d.Architectures...), " and "), config.ListInSyntax(f.Range, "architectures", arch)), w.Range))
	}
	return diags
}
