package compose

import (
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config/configtest"
)

// TestIncludedAndForbidden: that both are asked for is said with both places; what a
// feature takes back of another one, or excludes in another case only, is not.
func TestIncludedAndForbidden(t *testing.T) {
	for name, test := range map[string]struct {
		base, baseOut, repoOut []string
		severity               hcl.DiagnosticSeverity
		want                   string
	}{
		"one feature":          {base: []string{"nano"}, baseOut: []string{"nano"}, severity: hcl.DiagError, want: `"nano" is included here and excluded at base/pkg.exclude:1`},
		"one feature forbids":  {base: []string{"vim", "nano/testing"}, baseOut: []string{"!nano"}, severity: hcl.DiagError, want: `"nano" is included here and forbidden at base/pkg.exclude:1`},
		"another forbids":      {base: []string{"nano"}, repoOut: []string{"!nano"}, severity: hcl.DiagWarning, want: `"nano" is forbidden here, so the system does not get it, although feature "base" includes it at base/pkg.include:1.`},
		"another takes back":   {base: []string{"nano"}, repoOut: []string{"nano"}},
		"another architecture": {base: []string{"nano"}, baseOut: []string{"nano:i386"}},
		"another case":         {base: []string{"nano [docs]"}, baseOut: []string{"!nano [!docs]"}},
	} {
		p := kitchen(t)
		base, repo := p.Features["base"], p.Features["repo"]
		base.Packages, base.ExcludePackages = configtest.Lines("base/pkg.include", test.base...), configtest.Lines("base/pkg.exclude", test.baseOut...)
		repo.ExcludePackages = configtest.Lines("repo/pkg.exclude", test.repoOut...)
		_, diags := Resolve(p, flavour("repo"))
		found := false
		for _, d := range diags {
			if strings.Contains(d.Summary, "ncluded") {
				found = true
				if d.Severity != test.severity || test.want == "" || !strings.Contains(d.Detail, test.want) {
					t.Errorf("%s: %v", name, d)
				}
			}
		}
		if !found && test.want != "" {
			t.Errorf("%s: nothing is said; %v", name, diags)
		}
	}
}

// TestFlavourIncludesWhatAFeatureExcludes: what the flavour's own line asks for is not
// dropped.
func TestFlavourIncludesWhatAFeatureExcludes(t *testing.T) {
	p, f := ownTree(t, "packages = [\"nano\"]\n")
	_, diags := Resolve(p, f)
	if !diags.HasErrors() || !strings.Contains(diags.Error(), `excluded by feature "base" at features/base/pkg.exclude:1`) || diags[0].Subject.Filename != "flavours/own.hcl" {
		t.Errorf("got %v", diags)
	}
}
