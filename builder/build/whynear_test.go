package build

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/stage/planner"
)

// whyLayers are those of a plan whose steps have results: one that bootstraps, one of the system above
// it, and one of tools.
func whyLayers(t *testing.T) *Layers {
	t.Helper()
	b, p := roomPlan(t, 1)
	p.Graph = &plan.Graph{}
	bash := distro.Archived{Package: distro.Package{Name: "bash", Version: "5.3-2", Arch: "amd64"}, Source: "debian"}
	base := &distro.Closure{Packages: []distro.Archived{bash}}
	p.Packages = planner.Packages{Base: base, System: base}
	for _, s := range []struct {
		step  plan.Step
		files map[string]string
		links map[string]string
	}{
		{plan.Step{ID: "rootfs/bootstrap", Stage: "rootfs", Action: "bootstrap", Output: plan.Layer},
			map[string]string{"usr/bin/bash": "", "etc/hosts": "", "var/lib/dpkg/info/bash.list": "/.\n/bin/bash\n",
				"var/lib/dpkg/status": "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.3-2\n"},
			map[string]string{"bin": "usr/bin", "var/run": "/run", "var/out": t.TempDir()}},
		{plan.Step{ID: "rootfs/exec.config/a", Stage: "rootfs", Action: "script", Base: "rootfs/bootstrap", Output: plan.Layer},
			map[string]string{"usr/bin/bash": "", "etc/app/app.conf": ""}, nil},
		{plan.Step{ID: "tools/install-image-tools", Stage: "tools", Action: "install", Base: "rootfs/bootstrap", Output: plan.Layer},
			map[string]string{"usr/bin/bash": "", "etc/mke2fs.conf": ""}, nil},
	} {
		if err := p.Graph.Add(s.step); err != nil {
			t.Fatal(err)
		}
		d, err := p.Cache.Store.Begin(p.Graph.Key(s.step.ID))
		if err != nil {
			t.Fatal(err)
		}
		for name, text := range s.files {
			file := filepath.Join(d.Data, name)
			err = errors.Join(err, os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o644))
		}
		for name, target := range s.links {
			err = errors.Join(err, os.Symlink(target, filepath.Join(d.Data, name)))
		}
		if err := errors.Join(err, d.Commit(layer.Result{Step: s.step.ID})); err != nil {
			t.Fatal(err)
		}
	}
	return b.layersOf(p)
}

// TestWhyNamesThePackage: also if the path goes by a link into /usr, and without the layers
// of tools.
func TestWhyNamesThePackage(t *testing.T) {
	l := whyLayers(t)
	for _, path := range []string{"/bin/bash", "/usr/bin/bash", "/usr//bin/bash"} {
		story, err := l.Why(path)
		if err != nil || story.Missing != 0 || len(story.Changes) != 2 {
			t.Fatalf("%s: %+v, %v", path, story, err)
		}
		if c := story.Changes[0]; c.Step != "rootfs/bootstrap" || c.Package == nil || c.Package.Name != "bash" || c.Package.Version != "5.3-2" {
			t.Errorf("%s: %+v", path, c)
		}
		if c := story.Changes[1]; c.Step != "rootfs/exec.config/a" || c.Package != nil || c.Mode != "-rw-r--r--" {
			t.Errorf("%s: %+v", path, c)
		}
	}
}

func TestNear(t *testing.T) {
	l := whyLayers(t)
	for path, want := range map[string]string{
		"/etc/host":           "/etc/hosts",
		"/etc/ap/app.cnf":     "/etc/app/app.conf",
		"/bin/basch":          "/usr/bin/bash",
		"/etc/mke2fs.con":     "", // only tools have it
		"/etc/something/else": "",
	} {
		if got := l.Near(path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	if names := entriesOf(l.cache.Store.Data(l.steps[0].Key), "/var/run"); names != nil {
		t.Errorf("a link leads to this machine: %v", names)
	}
}
