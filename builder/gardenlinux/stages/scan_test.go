package stages

import (
	"path/filepath"
	"testing"

	"github.com/treewright/treewright/builder/source"
	"github.com/treewright/treewright/builder/treetest"
)

// TestMentionsBehindLinks: a directory that is a link is looked into.
func TestMentionsBehindLinks(t *testing.T) {
	tree := treetest.Lay(t, t.TempDir(), "common/image@0755", "features/x -> ../common")
	treetest.Write(t, filepath.Join(tree, "common/image"), "#!/bin/bash\ncat /builder/features/y/file\n")
	dir := filepath.Join(tree, "features/x")
	if found, err := scan(dir, source.Only("image")); err != nil || found.tree != "/builder" {
		t.Errorf("what a linked feature's script says is not found, error %v", err)
	}
	one, err := source.DigestDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	treetest.Write(t, filepath.Join(tree, "common/image"), "else")
	if two, err := source.DigestDir(dir); err != nil || two == one {
		t.Errorf("an edit in a linked directory changes no digest, error %v", err)
	}
}

// TestScan: a script gets what it may look for; in doubt it gets all.
func TestScan(t *testing.T) {
	for text, want := range map[string]string{
		"#!/bin/sh\necho \"$BUILDER_VERSION\"\n":                 "|",
		"echo \"$BUILDER_VERSION\"\n":                            "|",
		"#!/bin/sh\nset -e\nexport A=b\nlocal x\n":               "|",
		"#!/bin/sh\n/builder/image.d/makepart x\n":               "|",
		"#!/bin/sh\ncat /builder/keys\n":                         "/builder|",
		"#!/bin/sh\n. \"$(dirname \"$0\")/lib\"\n":               "dirname|.",
		"#!/bin/sh\ncd ..; cat ../other/x\n":                     "..|",
		"#!/bin/sh\ncd ..; cat other/x\n":                        "..|",
		"#!/bin/sh\ncd ..\ncat other/x\n":                        "..|",
		"#!/bin/sh\nd=\"..\"\n":                                  "..|",
		"#!/bin/bash\necho {1..3} wait...\n":                     "|",
		"#!/bin/sh\n. ./lib\n":                                   "|.",
		"#!/bin/bash\nsource lib\n":                              "|source",
		"#!/bin/sh\ntr '\\0' '\\n' < /proc/self/environ\n":       "|/environ",
		"#!/bin/sh\ncommand set | grep x\n":                      "|set",
		"#!/bin/sh\ncommand set -e\n":                            "|",
		"#!/bin/sh\nexec python3 x\n":                            "|python3",
		"#!/bin/sh\nfind . -name x\n":                            "|",
		"#!/bin/sh\nfind . -exec sh -c 'echo $X' \\;\n":          "|sh",
		"#!/bin/sh\nchroot \"$1\" bash -c 'set'\n":               "|bash",
		"#!/bin/bash\ntypeset -p\n":                              "|typeset -p",
		"#!/bin/bash\nreadonly -p\n":                             "|readonly -p",
		"#!/bin/bash\nf() { local -n r=$1; echo $r; }\n":         "|local -n",
		"#!/bin/bash\nexport -n x; local -r y=-n; export z=-p\n": "|",
		"#!/bin/sh\nenv\n":                                       "|env",
		"#!/bin/sh\nprintenv X\n":                                "|printenv",
		"#!/bin/sh\necho $BUILDER_\n":                            "|BUILDER_",
		"#!/bin/bash\nexport -p\n":                               "|export -p",
		"#!/bin/sh\nset | grep x\n":                              "|set",
		"#!/bin/sh\nexport\n":                                    "|export",
		"#!/bin/bash\nn=x; echo ${!n}\n":                         "|${!",
		"#!/bin/sh\n\"$tool\" x\n":                               "|a command by a variable",
		"#!/bin/sh\n/usr/bin/python3 -c 'import os'\n":           "|python3",
		"#!/bin/sh\nawk '{print ENVIRON[\"X\"]}'\n":              "|awk",
		"#!/bin/sh\n# set\necho set\n":                           "|",
		"#!/usr/bin/python3\nprint(1)\n":                         "the interpreter of exec.early|the interpreter of exec.early",
		"#!/bin/sh\nif\n":                                        "what no shell reads in exec.early|what no shell reads in exec.early",
		"\x7fELF\x02":                                            "the program exec.early|the program exec.early",
	} {
		dir := t.TempDir()
		treetest.Write(t, filepath.Join(dir, "exec.early"), text)
		found, err := scan(dir, source.Beside("exec.early"))
		if err != nil {
			t.Fatal(err)
		}
		if got := found.tree + "|" + found.env; got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// TestScanIsShown: a plan says why.
func TestScanIsShown(t *testing.T) {
	g := planTree(t, filepath.Join(trees, "phases"), "local")
	if title := g.Step("rootfs/exec.late/second").Title; title != "run exec.late of second (sees the whole tree: /builder)" {
		t.Errorf("it is called %q", title)
	}
}

// TestScanFollowsLinksOut: a link out of the directory wants the tree, also an
// absolute one, which looks as if it was within.
func TestScanFollowsLinksOut(t *testing.T) {
	for to, want := range map[string]string{"/etc/hosts": `a link to "/etc/hosts"`, "../y/file": `a link to "../y/file"`, "file": ""} {
		dir := filepath.Join(treetest.Lay(t, t.TempDir(), "features/x/file", "features/x/image.raw -> "+to), "features/x")
		found, err := scan(dir, source.Only("image.raw"))
		if err != nil || found.tree != want {
			t.Errorf("a link to %s: got %+v, error %v", to, found, err)
		}
	}
}
