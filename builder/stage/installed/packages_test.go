package installed

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/distro/debian"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/task"
	"github.com/treewright/treewright/builder/treetest"
)

// dpkgSays is a dpkg status file: "NAME VERSION STATE" a package.
func dpkgSays(packages ...string) string {
	var b strings.Builder
	for _, p := range packages {
		fields := strings.Fields(p)
		state := "installed"
		if len(fields) > 2 {
			state = fields[2]
		}
		fmt.Fprintf(&b, "Package: %s\nStatus: install ok %s\nArchitecture: amd64\nVersion: %s\n\n", fields[0], state, fields[1])
	}
	return b.String()
}

// TestWatchPackages: whatever a feature does to the packages is told, and what
// breaks them is a fault.
func TestWatchPackages(t *testing.T) {
	for name, tc := range map[string]struct {
		before, after string
		warns         []string
		fault         string
	}{
		"nothing":         {before: dpkgSays("a 1"), after: dpkgSays("a 1")},
		"other fields":    {before: dpkgSays("a 1"), after: dpkgSays("a 1") + "X: y\n"},
		"a local package": {dpkgSays("a 1"), dpkgSays("a 1", "b 2"), []string{"exec.late of x installed b 2 (amd64), which was not resolved: it does not come from the package archive, so builds do not update it"}, ""},
		"another version": {dpkgSays("a 1"), dpkgSays("a 2"), []string{"exec.late of x replaced a 1 (amd64) by 2 (amd64), which was not resolved: it does not come from the package archive, so builds do not update it"}, ""},
		"a removal":       {dpkgSays("a 1", "b 1"), dpkgSays("a 1"), []string{"exec.late of x removed b 1 (amd64), which was resolved: the packages that need it are there without it"}, ""},
		"a purge of half": {dpkgSays("a 1", "b 1"), dpkgSays("a 1", "b 1 config-files"), []string{"exec.late of x removed b 1 (amd64), which was resolved: the packages that need it are there without it"}, ""},
		"half-configured": {dpkgSays("a 1"), dpkgSays("a 1", "b 2 half-configured"), nil, "b 2 amd64: half-configured"},
		"unpacked":        {dpkgSays("a 1"), dpkgSays("a 1 unpacked"), nil, "a 1 amd64: unpacked"},
		"half-installed":  {dpkgSays("a 1"), dpkgSays("a 1 half-installed"), nil, "a 1 amd64: half-installed"},
		"triggers":        {dpkgSays("a 1"), dpkgSays("a 1 triggers-pending"), nil, "a 1 amd64: triggers-pending"},
		"broken before":   {dpkgSays("a 1 unpacked"), dpkgSays("a 1 unpacked", "b 1"), []string{"exec.late of x installed b 1 (amd64), which was not resolved: it does not come from the package archive, so builds do not update it"}, ""},
		"no dpkg left":    {dpkgSays("a 1"), "", []string{"exec.late of x removed /var/lib/dpkg/status: it is no longer known which packages the system has"}, ""},
		"never any dpkg":  {"", "", nil, ""},
	} {
		tree := t.TempDir()
		file := filepath.Join(treetest.Lay(t, tree, "var/lib/dpkg/"), "var/lib/dpkg/status")
		put := func(text string) {
			os.Remove(file)
			if text != "" {
				treetest.Write(t, file, text)
			}
		}
		put(tc.before)
		job := &task.Task{Distro: debian.Family{}, Tree: tree, Log: &bytes.Buffer{}}
		err := Watch(job, "exec.late of x", func() error { put(tc.after); return nil })
		if tc.fault == "" && err != nil || tc.fault != "" && (err == nil || !strings.Contains(err.Error(), tc.fault) || !strings.HasPrefix(err.Error(), "exec.late of x ")) {
			t.Errorf("%s: error %v, want %q", name, err, tc.fault)
		}
		if !slices.Equal(job.Warnings, tc.warns) {
			t.Errorf("%s: warnings %q, want %q", name, job.Warnings, tc.warns)
		}
	}
}

// TestIdentity: VERSION_ID and the list of packages are those of the tree.
func TestIdentity(t *testing.T) {
	const planned = "0123456789ab"
	resolved := Params{Packages: []distro.Package{{Name: "a", Version: "1", Arch: "amd64"}, {Name: "b", Version: "1", Arch: "amd64"}}, VersionID: planned}
	named := func(osRelease, dpkg, sums string) (string, string) {
		tree := treetest.Lay(t, t.TempDir(), "usr/lib/", "etc/os-release -> ../usr/lib/os-release", "var/lib/dpkg/info/")
		treetest.Write(t, filepath.Join(tree, "usr/lib/os-release"), osRelease)
		treetest.Write(t, filepath.Join(tree, "var/lib/dpkg/status"), dpkg)
		treetest.Write(t, filepath.Join(tree, "var/lib/dpkg/info/local.md5sums"), sums)
		job := &task.Task{Distro: debian.Family{}, Step: &plan.Step{Params: Action.Step(resolved, plan.Step{}).Params, Action: "identity"}, Tree: tree, Log: &bytes.Buffer{}, Facts: map[string]string{}}
		if err := Action.Do(context.Background(), job); err != nil {
			t.Fatal(err)
		}
		_, packages := task.PackagesOf(job.Facts)
		var lines []string
		for _, p := range packages {
			lines = append(lines, p.String())
		}
		return treetest.Content(t, filepath.Join(tree, "etc/os-release")), strings.Join(lines, ",")
	}
	const release = "ID=debian\nVERSION_ID=\"" + planned + "\"\nIMAGE_ID=x\n"
	same, lines := named(release, dpkgSays("b 1", "a 1"), "")
	if same != release || lines != "a 1 amd64,b 1 amd64" {
		t.Errorf("as resolved: os-release %q, packages %q", same, lines)
	}
	texts := map[string]string{release: "as resolved"}
	for _, tc := range []struct{ what, dpkg, sums, lines string }{
		{"one more", dpkgSays("a 1", "b 1", "local 1"), "x", "a 1 amd64,b 1 amd64,local 1 amd64"},
		{"one more with other files", dpkgSays("a 1", "b 1", "local 1"), "y", "a 1 amd64,b 1 amd64,local 1 amd64"},
		{"one less", dpkgSays("a 1"), "x", "a 1 amd64"},
		{"another version", dpkgSays("a 1", "b 2"), "x", "a 1 amd64,b 2 amd64"},
	} {
		text, lines := named(release, tc.dpkg, tc.sums)
		if before, ok := texts[text]; ok {
			t.Errorf("%s has the VERSION_ID of %s", tc.what, before)
		}
		texts[text] = tc.what
		if len(text) != len(release) || !strings.HasPrefix(text, "ID=debian\nVERSION_ID=\"") || !strings.HasSuffix(text, "\"\nIMAGE_ID=x\n") {
			t.Errorf("%s: os-release %q", tc.what, text)
		}
		if lines != tc.lines {
			t.Errorf("%s: packages %q", tc.what, lines)
		}
		if again, _ := named(release, tc.dpkg, tc.sums); again != text {
			t.Errorf("%s: %q at first, then %q", tc.what, text, again)
		}
	}
	const own = "ID=debian\nVERSION_ID=13\n"
	if text, _ := named(own, dpkgSays("a 1"), ""); text != own {
		t.Errorf("a feature's own VERSION_ID became %q", text)
	}
}

func TestCommittedPackages(t *testing.T) {
	tree := treetest.Lay(t, t.TempDir(), "usr/lib/sysimage/dpkg/")
	treetest.Write(t, filepath.Join(tree, "usr/lib/sysimage/dpkg/status"), dpkgSays("b 2:1", "a 1", "c 1 config-files"))
	got, err := Committed(debian.Family{}, tree)
	if want := "a 1\nb 2:1"; err != nil || Lines(got) != want {
		t.Errorf("got %q, error %v, want %q", got, err, want)
	}
	if got, err := Committed(debian.Family{}, t.TempDir()); err != nil || got != nil {
		t.Errorf("without dpkg: %q, error %v", got, err)
	}
}

func TestExtensionPackages(t *testing.T) {
	system, extended := treetest.Lay(t, t.TempDir(), "var/lib/dpkg/"), treetest.Lay(t, t.TempDir(), "var/lib/dpkg/")
	treetest.Write(t, filepath.Join(system, "var/lib/dpkg/status"), dpkgSays("a 1", "b 1"))
	treetest.Write(t, filepath.Join(extended, "var/lib/dpkg/status"), dpkgSays("a 1", "b 1", "c 1"))
	job := &task.Task{Distro: debian.Family{}, Step: &plan.Step{Action: "extension-tree"}, Tree: extended, Inputs: map[string]string{"system": system}, Facts: map[string]string{}}
	if err := NoteExtension(job, "x"); err != nil {
		t.Fatal(err)
	}
	if name, more := task.PackagesOf(job.Facts); name != "x" || !slices.Equal(more, []distro.Package{{Name: "c", Version: "1", Arch: "amd64"}}) {
		t.Errorf("%s has %q", name, more)
	}
}
