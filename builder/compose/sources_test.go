package compose

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
)

// sourced resolves the flavour x of a tree with the feature a, of which info and
// packages are given, and a flavour with a distribution.
func sourced(t *testing.T, distribution, info, packages string) (*Spec, []string) {
	t.Helper()
	p, diags := config.Load(fstest.MapFS{
		"flavours/x.hcl":         {Data: []byte("flavour \"x\" {\n  features = [\"a\", \"b\"]\n  distribution {\n" + distribution + "\n  }\n}\n")},
		"features/a/info.yaml":   {Data: []byte("type: platform\n" + info)},
		"features/a/pkg.include": {Data: []byte(packages)},
		"features/b/info.yaml":   {Data: []byte("type: element\nsources:\n  vendor: {urls: [https://v.example.org/apt], suites: [trixie]}\n")},
	}, config.Options{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	s, diags := Resolve(p, p.Flavours[0])
	var said []string
	for _, d := range diags {
		severity := "error"
		if d.Severity == hcl.DiagWarning {
			severity = "warning"
		}
		said = append(said, severity+" "+config.PlaceOf(*d.Subject)+": "+d.Summary+": "+d.Detail)
	}
	return s, said
}

func TestSources(t *testing.T) {
	vendor := func(more string) string {
		return "sources:\n  vendor: {urls: [https://v.example.org/apt], suites: [trixie]" + more + "}\n"
	}
	for _, c := range []struct{ distribution, info, packages, names, said string }{
		{`suite = "trixie"`, "", "", "main security updates vendor", ""},
		{`suite = "testing"`, "", "", "main vendor", ""},
		{"suite = \"trixie\"\nbackports = true", vendor(""), "tool/trixie-backports\nfree/vendor\nlib:amd64/trixie-security\n", "main security updates backports vendor", ""},
		{"suite = \"trixie\"\nsecurity = false", "", "", "main updates vendor",
			`warning flavours/x.hcl:5: No security updates: Systems of trixie are built without its security updates, because this line says so.`},
		{"suite = \"trixie\"\nmirror = \"file:///srv\"", "", "", "main vendor",
			`warning flavours/x.hcl:4: No security updates: Systems of trixie are built without security updates: because the archive is a directory, it is not known whether there is a suite trixie-security. Name its archive with security_mirror.`},
		{`suite = "trixie"`, vendor(", priority: 500"), "", "",
			`error features/b/info.yaml:3: Two sources of one name: Feature "a" has another source that is called "vendor", at features/a/info.yaml:3. Give one of them another name.`},
		{"suite = \"trixie\"\nsource \"vendor\" {\nurls = [\"https://v.example.org/other\"]\nsuites = [\"trixie\"]\n}", "", "", "",
			`error features/b/info.yaml:3: Two sources of one name: Flavour "x" has another source that is called "vendor", at flavours/x.hcl:5. Give one of them another name.`},
		{`suite = "trixie"`, "", "tool/trixie-backports\n", "",
			`error features/a/pkg.include:1: Unknown suite: Flavour "x" has no source with the suite "trixie-backports"; there are trixie, main, trixie-security, security, trixie-updates, updates, vendor. Add backports = true to the distribution of the flavour.`},
		{`suite = "trixie"`, "", "tool/trixie-secruity\n", "",
			`error features/a/pkg.include:1: Unknown suite: Flavour "x" has no source with the suite "trixie-secruity"; there are trixie, main, trixie-security, security, trixie-updates, updates, vendor. Did you mean "trixie-security"?`},
		{`suite = "trixie"`, "", "tool\ntool/sid\n", "",
			`error features/a/pkg.include:2: Unknown suite: Flavour "x" has no source with the suite "sid"; there are trixie, main, trixie-security, security, trixie-updates, updates, vendor.`},
		{`suite = "trixie"`, "", "tool/trixie\ntool/trixie-security\n", "",
			`error features/a/pkg.include:2: Two suites for one package: "tool/trixie-security" is requested here, and "tool/trixie" at features/a/pkg.include:1.`},
		{`suite = "trixie"`, "sources:\n  i: {urls: [https://i.example.org], suites: [./], architectures: [i386]}\n", "", "",
			`error features/a/info.yaml:3: Source for other architectures: Flavour "x" is for amd64, for which the source "i" is not asked.`},
		{`suite = "trixie"`, "sources:\n  same: {urls: [http://deb.debian.org/own], suites: [trixie], on_machine: true, packages: [x]}\n", "", "",
			`error features/a/info.yaml:3: Pins that a machine cannot keep: The list of sources of the machine has the sources "same" and "main", which are on one host and have the same suite: there, nothing tells their packages apart. Leave out on_machine of one of them.`},
		{"suite = \"trixie\"\nsource \"a\" {\nurls = [\"https://a.example.org/x\"]\nsuites = [\"x\"]\nca = \"a.pem\"\n}\nsource \"b\" {\nurls = [\"https://b.example.org\", \"https://a.example.org:444/y\"]\nsuites = [\"y\"]\nca = \"b.pem\"\n}", "", "", "",
			`error flavours/x.hcl:13: Two authorities for one host: The sources "a" and "b" are both on a.example.org, but have different files with certificates: a.pem and b.pem. Name one file that has all certificates.`},
	} {
		s, said := sourced(t, c.distribution, c.info, c.packages)
		if got := strings.Join(said, "\n"); got != c.said {
			t.Errorf("%s: said\n%s\nwant\n%s", c.distribution, got, c.said)
		}
		var names []string
		if s != nil {
			for _, src := range s.Sources {
				names = append(names, src.Name)
			}
		}
		if !slices.Equal(names, strings.Fields(c.names)) {
			t.Errorf("%s: sources %v, want %s", c.distribution, names, c.names)
		}
	}
}
