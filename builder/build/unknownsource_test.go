package build

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro/debian/debtest"
)

// TestPackagesOfSuites: a package that is not in the suite that it is asked of is
// reported with what there is.
func TestPackagesOfSuites(t *testing.T) {
	own := debtest.New(t, &debtest.Suite{Name: "testing", Architectures: []string{"amd64", "i386"}, Packages: append(debtest.Base(),
		debtest.Package{Name: "tool", Arch: "amd64"}, debtest.Package{Name: "tool", Arch: "i386"}, debtest.Package{Name: "post", Fields: map[string]string{"Provides": "mail"}})})
	vendor := debtest.New(t, &debtest.Suite{Name: "vendor", Architectures: []string{"amd64", "i386"}, Packages: []debtest.Package{
		{Name: "tool", Version: "1:2", Arch: "amd64"}, {Name: "same", Fields: map[string]string{"Provides": "mail"}},
	}})
	flavour := fmt.Sprintf("flavour \"x\" {\n  features = [\"base\"]\n  packages = [%%q]\n  distribution {\n    suite         = \"testing\"\n    mirror        = %q\n    keyring       = %q\n    architectures = [\"i386\"]\n"+
		"    source \"vendor\" {\n      urls    = [%q]\n      suites  = [\"vendor\"]\n      keyring = %q\n    }\n  }\n}\n", own.FileURL(), own.Key.Keyring, vendor.FileURL(), vendor.Key.Keyring)
	cache := t.TempDir()
	for want, said := range map[string]string{
		"same/main":        `No source with the name or suite "main" has a package "same". Others have it, in version 1.`,
		"tool:i386/vendor": `No source with the name or suite "vendor" has a package "tool:i386". Others have it, in version 1, 1:2.`,
		"tool=3":           "have tool in version 1, 1:2, not 3.",
		"tool:i386=1:2":    "have tool:i386 in version 1, not 1:2.",
		"mail/vendor":      `"mail" is the name of no package: post, same provide it. Name one of them.`,
	} {
		_, err := prepareWith(t, map[string]string{"flavours/x.hcl": fmt.Sprintf(flavour, want)}, Options{Cache: cache})
		var faults *diag.Faults
		if !errors.As(err, &faults) || len(faults.List) != 1 || faults.List[0].Subject.Start.Line != 3 || !strings.Contains(faults.List[0].Detail, said) {
			t.Errorf("%s: %v, want %s", want, err, said)
		}
	}
}
