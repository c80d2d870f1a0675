package tree

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func treeOf(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, content := range files {
		f := &fstest.MapFile{Data: []byte(content), Mode: 0o644}
		if strings.HasPrefix(content, "#!") {
			f.Mode = 0o755
		}
		fsys["features/"+name] = f
	}
	return fsys
}

func TestLoad(t *testing.T) {
	p, diags := Load(treeOf(map[string]string{
		"a/info.yaml":                    "type: platform\nunknown: key\n",
		"a/pkg.include":                  "one\n# comment\ntwo # and $arch",
		"a/pkg.build":                    "gcc",
		"a/exec.build":                   "not even executable",
		"a/exec.config":                  "#!/bin/sh",
		"a/exec.late":                    "echo no run bit",
		"a/file.exclude":                 "/etc/x # why\n",
		"a/fstab":                        "LABEL=ROOT / ext4 rw",
		"a/fstab.mod":                    "#!/bin/sh",
		"a/requirements.mod":             "requirements[x]=y",
		"a/image":                        "#!/bin/sh",
		"a/image.esp.tar":                "#!/bin/sh",
		"a/convert.qcow2":                "#!/bin/sh",
		"a/convert.raw~esp.tar":          "#!/bin/sh",
		"a/image.empty":                  "",
		"a/image.2nd":                    "#!/bin/sh",
		"a/convert.x":                    "no run bit",
		"b/info.yaml":                    "type: flag\nfeatures:\n  include: [a]\n",
		"a/file.include/etc/hostname":    "x",
		"not-a-feature/pkg.include":      "x",
		"a/image.with-dash_and_line.zip": "#!/bin/sh",
	}))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	if len(p.Features) != 2 {
		t.Fatalf("%d features", len(p.Features))
	}
	a := p.Features["a"]
	parts := PartsOf(a)
	var lines []string
	for _, l := range a.Packages {
		lines = append(lines, fmt.Sprintf("%d:%s", l.Range.Start.Line, l.Text))
	}
	if got := strings.Join(lines, "|"); got != "1:one|2:# comment|3:two # and $arch" {
		t.Errorf("package lines are %s", got)
	}
	if len(a.FileExclude) != 1 || a.FileExclude[0].Text != "/etc/x" {
		t.Errorf("file.exclude is %v", a.FileExclude)
	}
	if a.Scripts["exec.build"] || len(a.PackagesBuild) > 0 {
		t.Error("pkg.build and exec.build mean nothing in such a tree")
	}
	if !a.Scripts["exec.config"] || !a.Scripts["exec.late"] || !parts.Fstab || !parts.FstabMod || !parts.Requirements || !a.HasFiles {
		t.Errorf("files were overlooked: %+v", a)
	}
	var images []string
	for _, s := range parts.Images {
		images = append(images, s.File+":"+s.Takes+">"+s.Makes)
	}
	want := "image:tar>raw image.esp.tar:tar>esp.tar image.with-dash_and_line.zip:tar>with-dash_and_line.zip convert.qcow2:raw>qcow2 convert.raw~esp.tar:esp.tar>raw convert.x:raw>x"
	if got := strings.Join(images, " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if !slices.Equal(parts.Asks, []string{"empty"}) {
		t.Errorf("empty scripts ask for %v", parts.Asks)
	}
	var faults []string
	for _, d := range a.Faults {
		faults = append(faults, d.Subject.Filename+": "+d.Summary)
	}
	slices.Sort(faults)
	if got := strings.Join(faults, "|"); got != "features/a/convert.x: Script not executable|features/a/exec.late: Script not executable|features/a/image.2nd: Invalid extension" {
		t.Errorf("faults are %s", got)
	}
	if len(p.Features["b"].Faults) > 0 {
		t.Errorf("b has the faults of a: %v", p.Features["b"].Faults)
	}
}

func TestImageScriptNames(t *testing.T) {
	for name, want := range map[string]string{
		"image.a~b": "Invalid image script",
		"convert.":  "Invalid extension",
		"convert.~": "Invalid extension",
		"image.":    "Invalid extension",
		"image.A":   "Invalid extension",
	} {
		p, diags := Load(treeOf(map[string]string{"a/info.yaml": "type: platform", "a/" + name: "#!/bin/sh"}))
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		f := p.Features["a"]
		if len(PartsOf(f).Images) > 0 || len(f.Faults) != 1 || f.Faults[0].Summary != want {
			t.Errorf("%s: scripts %v, faults %v", name, PartsOf(f).Images, f.Faults)
		}
	}
}
