package compose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/distro"
)

// Deb is a package that a feature brings as a file.
type Deb struct {
	distro.Package
	// Sum tells files apart, if their content was read; else it is "".
	Sum string
	// File is the path in the tree.
	File string
}

// DebFaults finds what is wrong with packages that features of one flavour bring:
// those for another architecture, and two that cannot both be installed.
func DebFaults(f *config.Flavour, debs []Deb) hcl.Diagnostics {
	var diags hcl.Diagnostics
	archs := append([]string{f.Distribution.Arch}, f.Distribution.Architectures...)
	first := map[[2]string]Deb{}
	for _, d := range debs {
		at := config.FileStart(d.File)
		if d.Arch != "all" && !slices.Contains(archs, d.Arch) {
			diags = append(diags, fault("Package for another architecture",
				fmt.Sprintf("%s %s is for %s, and flavour %q is for %s.", d.Name, d.Version, d.Arch, f.Name, strings.Join(archs, " and ")), at))
			continue
		}
		arch := d.Arch
		if arch == "all" {
			arch = f.Distribution.Arch
		}
		other, again := first[[2]string{d.Name, arch}]
		switch {
		case !again:
			first[[2]string{d.Name, arch}] = d
		case other.Version != d.Version:
			diags = append(diags, fault("Two versions of one package",
				fmt.Sprintf("The package %s is here in version %s and in %s in version %s.", d.Name, d.Version, other.File, other.Version), at))
		case other.Sum != d.Sum:
			diags = append(diags, fault("Two files for one package",
				fmt.Sprintf("The package %s %s is in %s too, and it is another file: give one of them another version.", d.Name, d.Version, other.File), at))
		}
	}
	return diags
}
