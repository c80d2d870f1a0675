package config

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/extend"
)

// TestExtendBlock: a tree chooses the packages that its server makes images of, and faults of the block have their places.
func TestExtendBlock(t *testing.T) {
	for block, want := range map[string]string{
		`packages = ["jq", "g++", "lib[a-c]*", "vim*"]`:                                                                     "",
		`packages = ["*"]; sources = ["main", "security", "acme"]; jobs = 2; queue = 5; timeout = "90s"; most_packages = 3`: "",

		`jobs = 1`:                                     `treewright.hcl:1: Missing packages: extend needs packages: names of packages that machines may ask for, and patterns such as "vim*"; ["*"] allows all.`,
		`packages = []`:                                `treewright.hcl:1: Empty list: No machine could ask for anything. `,
		`packages = ["Vim*"]`:                          `treewright.hcl:1: Invalid package: "Vim*" matches no package, because names of packages have small letters only. Did you mean "vim*"?`,
		`packages = ["jq=1.7"]`:                        `treewright.hcl:1: Invalid package: "jq=1.7" is neither the name of a package nor a pattern of names. `,
		`packages = ["vim["]`:                          `treewright.hcl:1: Invalid package: "vim[" is not a pattern: `,
		`packages = ["a/b"]`:                           `treewright.hcl:1: Invalid package: "a/b" is neither`,
		`packages = ["jq", "jq"]`:                      `treewright.hcl:1: Named twice: "jq" is in packages already.`,
		`packages = ["*"]; jobs = 0`:                   `treewright.hcl:1: Invalid number: jobs is a number from 1 to 64.`,
		`packages = ["*"]; queue = 100000`:             `treewright.hcl:1: Invalid number: queue is a number from 1 to 1000.`,
		`packages = ["*"]; timeout = "30"`:             `treewright.hcl:1: Invalid duration: "30" is not a duration up to 24h: write "90s", "30m" or "2h".`,
		`packages = ["*"]; timeout = "-1m"`:            `treewright.hcl:1: Invalid duration: `,
		`packages = ["*"]; sources = []`:               `treewright.hcl:1: Empty list: Without a source there are no packages; `,
		`packages = ["*"]; sources = ["amce"]`:         `treewright.hcl:1: Unknown source: No flavour and no feature has a source "amce". Did you mean "acme"?`,
		`packages = ["*"]; sources = ["main", "main"]`: `treewright.hcl:1: Named twice: "main" is in sources already.`,
		`packages = ["*"]; package = "x"`:              `treewright.hcl:1: Unknown field: There is no field "package" here. Did you mean "packages"?`,
	} {
		p, got := summaries(t, files("treewright.hcl", "extend {\n"+strings.ReplaceAll(block, "; ", "\n")+"\n}\n",
			"features/f/info.yaml", "type: element\nsources:\n  acme:\n    urls: [http://acme.example/]\n    suites: [x]\n"), nil)
		for i := range got {
			got[i] = lineless.ReplaceAllString(got[i], "treewright.hcl:1:")
		}
		if all := strings.Join(got, "\n"); want == "" && all != "" || !strings.HasPrefix(all, want) || strings.Count(all, "\n") > 0 {
			t.Errorf("%s:\n%s\nwant\n%s", block, all, want)
		}
		if p.Extend == nil {
			t.Errorf("%s: not read", block)
		}
	}
}

// TestExtendValues: omitted fields have the values that the schema describes.
func TestExtendValues(t *testing.T) {
	p, _ := summaries(t, files("treewright.yaml", "extend:\n  packages: [jq, \"vim*\"]\n"), nil)
	e := p.Extend
	if e == nil || e.Jobs != 1 || e.Queue != 20 || e.Timeout != 30*time.Minute || e.MostPackages != 50 || e.Sources != nil {
		t.Fatalf("read as %+v", e)
	}
	for name, want := range map[string]bool{"jq": true, "jql": false, "vim": true, "vim-tiny": true, "neovim": false} {
		if e.Allows(name) != want {
			t.Errorf("%s is allowed: %v", name, !want)
		}
	}
	p, _ = summaries(t, files("treewright.hcl", "extend {\npackages = [\"*\"]\njobs = 2\nqueue = 5\ntimeout = \"90s\"\nmost_packages = 3\nsources = [\"main\"]\n}\n"), nil)
	if e := p.Extend; e.Jobs != 2 || e.Queue != 5 || e.Timeout != 90*time.Second || e.MostPackages != 3 || !slices.Equal(e.Sources, []string{"main"}) || !e.Allows("g++") {
		t.Errorf("read as %+v", e)
	}
	if p, _ := summaries(t, files("treewright.hcl", "use = []\n"), nil); p.Extend != nil {
		t.Error("it is on by default")
	}
	if mostExtendPackages != extend.MostPackages {
		t.Errorf("most_packages can be %d, a request can have %d", mostExtendPackages, extend.MostPackages)
	}
}
