package extension

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/distro/debian"

	"github.com/treewright/treewright/builder/plan"
)

func TestExtensionModules(t *testing.T) {
	system := with(sampleSystem, map[string]string{
		"usr/lib/modules/7.2/vmlinuz": "", "usr/lib/modules/7.2/kernel/a.ko.xz": "a",
		"usr/lib/modules/7.2/modules.dep": "a", "usr/lib/modules/7.2/modules.dep.bin": "A", "usr/lib/modules/7.2/modules.order": "a",
	})
	none := func(string) bool { return false }
	trees := func(extended map[string]string) extensionTrees {
		s := sampleTree(t, system)
		return extensionTrees{extended: sampleTree(t, extended), system: s, committed: s, distro: debian.Family{}}
	}
	for name, c := range map[string]struct {
		extended map[string]string
		want     string
	}{
		"none":           {system, ""},
		"an index alone": {with(system, map[string]string{"usr/lib/modules/7.2/modules.dep": "b"}), ""},
		"one":            {with(system, map[string]string{"usr/lib/modules/7.2/updates/b.ko": ""}), "7.2 usr/lib/modules/7.2/updates/b.ko"},
		"packed":         {with(system, map[string]string{"usr/lib/modules/7.2/b.ko.zst": "", "usr/lib/modules/7.2/b.koala": ""}), "7.2 usr/lib/modules/7.2/b.ko.zst"},
	} {
		got, err := trees(c.extended).kernelModules(t.Context(), none)
		text := ""
		for version, names := range got {
			text += version + " " + strings.Join(names, " ")
		}
		if text != c.want || err != nil {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
	other := trees(with(system, map[string]string{"usr/lib/modules/8.0/kernel/b.ko": ""}))
	_, err := other.kernelModules(t.Context(), none)
	if err == nil || !strings.Contains(err.Error(), "for the kernel 8.0 (/usr/lib/modules/8.0/kernel/b.ko, 1 in all), but the system has the kernel 7.2, which") {
		t.Errorf("modules for another kernel: %v", err)
	}
	if _, err := other.kernelModules(t.Context(), func(rel string) bool { return rel == "usr/lib/modules/8.0" }); err != nil {
		t.Errorf("what is excluded is looked at: %v", err)
	}

	// The lists come along with modules, and change with nothing else.
	changed := trees(with(system, map[string]string{
		"usr/lib/modules/7.2/updates/b.ko": "", "usr/lib/modules/7.2/modules.dep": "a b", "usr/lib/modules/7.2/modules.dep.bin": "A B",
		"usr/lib/modules/7.2/modules.order": "a b", "usr/lib/modules/7.2/kernel/a.ko.xz": "another",
	}))
	for _, modules := range []bool{true, false} {
		changed.newModules = modules
		d, err := changed.diff(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		conflicts := []string{"/usr/lib/modules/7.2/kernel/a.ko.xz: content changed", "/usr/lib/modules/7.2/modules.order: content changed"}
		leave := "usr/lib/modules/7.2/modules.dep usr/lib/modules/7.2/modules.dep.bin usr/lib/modules/7.2/updates/ usr/lib/modules/7.2/updates/b.ko"
		if !modules {
			conflicts = []string{conflicts[0], "/usr/lib/modules/7.2/modules.dep.bin: content changed", "/usr/lib/modules/7.2/modules.dep: content changed", conflicts[1]}
			leave = "usr/lib/modules/7.2/updates/ usr/lib/modules/7.2/updates/b.ko"
		}
		if !slices.Equal(d.conflicts, conflicts) || paths(d.leaving) != leave {
			t.Errorf("modules %v: conflicts %q, leaving %s", modules, d.conflicts, paths(d.leaving))
		}
	}

	_, _, err = extensionOf(t, system, with(system, map[string]string{"usr/lib/modules/7.2/b.ko": ""}))
	if err == nil || !strings.Contains(err.Error(), "the tree has no depmod (package kmod) to list it") {
		t.Errorf("without depmod: %v", err)
	}
}

// Without an entry in the linker's cache, which is the machine's, libraries are
// found in the linker's own directories alone.
func TestExtensionLibraries(t *testing.T) {
	system := with(sampleSystem, map[string]string{
		"etc/ld.so.conf": "include /etc/ld.so.conf.d/*.conf\n", "etc/ld.so.conf.d/x86_64-linux-gnu.conf": "# Multiarch\n/lib/x86_64-linux-gnu\n/usr/lib/x86_64-linux-gnu\n",
		"etc/ld.so.conf.d/old.conf": "/usr/lib/old # by the system\n", "usr/lib/old/libz.so.1": "", "usr/lib/x86_64-linux-gnu/libc.so.6": "", "lib": "-> usr/lib",
	})
	extended := with(system, map[string]string{
		"etc/ld.so.conf.d/d.conf": "/opt/d/lib, /lib/d\n/usr/lib/none\n",
		"opt/d/lib/libd.so.1":     "", "opt/d/lib/libd.so": "-> libd.so.1", "opt/d/lib/readme": "", "usr/lib/d/libe.so": "", "usr/lib/old/libf.so.2": "",
		"usr/lib/private/libg.so": "", "usr/lib/x86_64-linux-gnu/libh.so.1": "", "usr/lib/libi.so": "",
	})
	_, _, err := extensionOf(t, system, extended)
	if err == nil {
		t.Fatal("no error")
	}
	var got []string
	for line := range strings.Lines(err.Error()) {
		if name, rest, ok := strings.Cut(strings.TrimSpace(line), ": programs would not find it, because only "); ok {
			conf, _, _ := strings.Cut(rest, " names its directory")
			got = append(got, name+" "+conf)
		}
	}
	want := []string{
		"/opt/d/lib/libd.so /etc/ld.so.conf.d/d.conf", "/opt/d/lib/libd.so.1 /etc/ld.so.conf.d/d.conf",
		"/usr/lib/d/libe.so /etc/ld.so.conf.d/d.conf", "/usr/lib/old/libf.so.2 /etc/ld.so.conf.d/old.conf",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	// Who knows better says so.
	job := extensionTask(t, with(extended, nil, "usr/lib/old/libf.so.2"), io.Discard)
	job.Inputs["system"], job.Inputs["committed"] = sampleTree(t, system), sampleTree(t, with(system, map[string]string{"usr/lib/os-release": "ID=x\n"}))
	job.Step.Params = TreeAction.Step(TreeParams{Name: "x", Exclude: []string{"/etc/ld.so.conf.d/d.conf"}}, plan.Step{}).Params
	if err := TreeAction.Do(t.Context(), job); err != nil {
		t.Errorf("with the file excluded: %v", err)
	}
}
