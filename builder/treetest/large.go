package treetest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Large writes a configuration tree of many features and flavours below dir, and returns dir:
// benchmarks show with it how costs grow.
func Large(t testing.TB, dir string, features, flavours int) string {
	t.Helper()
	if err := WriteLarge(dir, features, flavours); err != nil {
		t.Fatal(err)
	}
	return dir
}

// WriteLarge does so for programs. What it writes depends on the numbers only.
//
// The features are in groups of twenty, as those of a team are: each includes one or two of
// its group, has parameters, packages, files and a script. A flavour names three features of
// different groups and sets a parameter. About as many features are in each flavour at every
// size of the tree, so what a check must do at least grows as the tree does.
func WriteLarge(dir string, features, flavours int) error {
	var failed error
	write := func(name, text string, mode os.FileMode) {
		name = filepath.Join(dir, name)
		if failed == nil {
			failed = os.MkdirAll(filepath.Dir(name), 0o755)
		}
		if failed == nil {
			failed = os.WriteFile(name, []byte(text), mode)
		}
	}
	for i := range features {
		name := largeName(i)
		feature := "features/" + name + "/"
		write(feature+"info.yaml", largeInfo(i), 0o644)
		write(feature+"pkg.include", largePackages(i), 0o644)
		write(feature+"exec.config", fmt.Sprintf("#!/bin/sh\nset -eu\nsystemctl enable %s.service\necho \"$PARAM_PORT\" >>/etc/%s/ports\n", name, name), 0o755)
		write(feature+"file.include/etc/"+name+"/main.conf", strings.Repeat("# The service reads this at its start.\nworkers = 4\n", 10), 0o644)
		write(feature+"file.include/usr/lib/systemd/system/"+name+".service", fmt.Sprintf("[Unit]\nDescription=Service %d\n\n[Service]\nExecStart=/usr/bin/%s --port 80\n\n[Install]\nWantedBy=multi-user.target\n", i, name), 0o644)
	}
	write("flavours/base.hcl", largeBase, 0o644)
	for i := range flavours - 1 { // base is one
		name := fmt.Sprintf("flavour-%04d", i)
		named := unique(largeName(i*20%features), largeName((i*31+7)%features), largeName((i*53+11)%features))
		write("flavours/"+name+".hcl", fmt.Sprintf(`flavour "%s" {
  extends     = "base"
  description = "the system %d"
  features    = ["%s"]

  set "%s" {
    port = %d
    name = "system-%d"
  }
}
`, name, i, strings.Join(named, `", "`), named[0], 1024+i, i), 0o644)
	}
	return failed
}

// largeBase is what all flavours extend.
const largeBase = `flavour "base" {
  abstract = true

  distribution {
    family = "debian"
    suite  = "testing"
    arch   = "amd64"
  }
}
`

func largeName(i int) string { return fmt.Sprintf("service-%04d", i) }

// largeInfo is a feature's info.yaml. What a feature includes has a smaller number, so that no
// circle comes about.
func largeInfo(i int) string {
	include := ""
	if in := i % 20; in > 0 {
		names := unique(largeName(i-in+in/2), largeName(i-in+in/3))
		include = "features:\n  include: [" + strings.Join(names, ", ") + "]\n"
	}
	return fmt.Sprintf(`description: the service %d, as teams have many
type: element
%sparameters:
  port:
    type: int
    default: 80
    description: The port that the service listens on.
  name:
    type: string
    default: "%s"
    description: The name by which the service is known.
  verbose:
    type: bool
    default: false
`, i, include, largeName(i))
}

func largePackages(i int) string {
	var b strings.Builder
	b.WriteString("# What the service needs.\n")
	for j := range 6 {
		fmt.Fprintf(&b, "package-%d\n", (i*6+j)%1500)
	}
	b.WriteString("manual-pages [verbose]\nlibrary-${name} [verbose]\n")
	return b.String()
}

// unique returns the names, each once.
func unique(names ...string) []string {
	var out []string
	for _, n := range names {
		if !strings.Contains(" "+strings.Join(out, " ")+" ", " "+n+" ") {
			out = append(out, n)
		}
	}
	return out
}
