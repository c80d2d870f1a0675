package build

import (
	"fmt"
	"testing"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/distro/debian/debtest"
)

// TestToolsAreTheDistributions: packages of further sources are for the system. In
// tools they would make other bytes, and nobody has asked for them there.
func TestToolsAreTheDistributions(t *testing.T) {
	essential := map[string]string{"Essential": "yes", "Priority": "required"}
	own := debtest.New(t, &debtest.Suite{Name: "testing", Packages: append(debtest.Base(), debtest.Stubs("erofs-utils", "squashfs-tools", "hello")...)})
	vendor := debtest.New(t, &debtest.Suite{Name: "vendor", Packages: append(debtest.Stubs("extra"),
		debtest.Package{Name: "erofs-utils", Version: "9"}, debtest.Package{Name: "base-files", Version: "9", Fields: essential})})
	files := func(packages string) map[string]string {
		return map[string]string{
			"flavours/x.hcl": fmt.Sprintf("flavour \"x\" {\n  features = [\"base\", \"ext\"]\n  packages = [\"erofs-utils\"]\n  distribution {\n    suite   = \"testing\"\n    mirror  = %q\n    keyring = %q\n"+
				"    source \"vendor\" {\n      urls     = [%q]\n      suites   = [\"vendor\"]\n      keyring  = %q\n      packages = [%q]\n    }\n  }\n}\n", own.FileURL(), own.Key.Keyring, vendor.FileURL(), vendor.Key.Keyring, packages),
			"features/ext/info.yaml":   "type: extension\n",
			"features/ext/pkg.include": "hello\n",
		}
	}
	for packages, c := range map[string]struct {
		system, tools, base string
		apart               bool
	}{
		"extra":  {"1", "1", "1", false},
		"erofs*": {"9", "1", "1", false}, // the bootstrapped tree is the same
		"*":      {"9", "1", "1", true},
	} {
		p, err := prepareWith(t, files(packages), Options{Cache: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		tools := p.Packages.Tools[distro.ForExtension]
		version := func(c *distro.Closure, name string) string {
			for _, a := range c.Packages {
				if a.Name == name {
					return a.Version
				}
			}
			return ""
		}
		if s, o, b := version(p.Packages.System, "erofs-utils"), version(tools.Packages, "erofs-utils"), version(tools.Packages, "base-files"); s != c.system || o != c.tools || b != c.base {
			t.Errorf("%s: the system has erofs-utils %s, the tools have %s and base-files %s", packages, s, o, b)
		}
		if base := p.Graph.Step("tools/install-extension-tools").Base; (tools.From != nil) != c.apart || (base == "tools/bootstrap-testing") != c.apart {
			t.Errorf("%s: the tools are from %+v, above %s", packages, tools.From, base)
		}
	}
}
