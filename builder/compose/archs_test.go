package compose

import (
	"testing"

	"github.com/treewright/treewright/builder/config/configtest"
)

func TestArchitecturesOfPackages(t *testing.T) {
	p := configtest.Project(t, `base element`)
	p.Features["base"].Packages = configtest.Lines("base/pkg.include", "libc6:i386", "libc6:arm64", "libc6:all", "libc6")
	p.Features["base"].ExcludePackages = configtest.Lines("base/pkg.exclude", "bash:armel", "!bash:armhf")
	f := flavour("base")
	_, diags := Resolve(p, f)
	wantFaults(t, diags, `base/pkg.include:1: Package for another architecture: libc6:i386 is for i386, and flavour "try" is for arm64. Write architectures = ["i386"] in its distribution`,
		"base/pkg.exclude:2: Package for another architecture: bash:armhf is for armhf")
	p.Features["base"].Packages, p.Features["base"].ExcludePackages = nil, nil
	f.Content.Packages = configtest.Lines("flavours/x.hcl", "libc6:i386", "bash:armhf/sid")
	_, diags = Resolve(p, f)
	wantFaults(t, diags, `flavours/x.hcl:1: Package for another architecture: libc6:i386 is for i386`, `flavours/x.hcl:2: Package for another architecture: bash:armhf is for armhf`, `flavours/x.hcl:2: Unknown suite`)
	f.Content.Packages = configtest.Lines("flavours/x.hcl", "libc6:any")
	_, diags = Resolve(p, f)
	wantFaults(t, diags, `flavours/x.hcl:1: Package for another architecture: "any" is not an architecture that a package can be installed for: write libc6, for that of the system.`)
	f.Content.Packages = configtest.Lines("flavours/x.hcl", "libc6:i386")
	f.Distribution.Architectures = []string{"armhf", "i386"}
	if _, diags := Resolve(p, f); len(diags) > 0 {
		t.Error(diags)
	}
}
