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

// whyPlan is a plan whose steps have results: one that bootstraps, one of the system above
// it, and one of tools.
func whyPlan(t *testing.T) *Prepared {
	t.Helper()
	_, p := roomPlan(t, 1)
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
			map[string]string{"usr/bin/bash": "", "etc/hosts": "", "var/lib/dpkg/info/bash.list": "/.\n/bin/bash\n"},
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
	return p
}

// TestWhyNamesThePackage: also if the path goes by a link into /usr, and without the layers
// of tools.
func TestWhyNamesThePackage(t *testing.T) {
	p := whyPlan(t)
	for _, path := range []string{"/bin/bash", "/usr/bin/bash", "/usr//bin/bash"} {
		changes, missing, err := p.Why(path)
		if err != nil || missing != 0 || len(changes) != 2 {
			t.Fatalf("%s: %+v, %d missing, %v", path, changes, missing, err)
		}
		if c := changes[0]; c.Step != "rootfs/bootstrap" || c.Package.Name != "bash" || c.Package.Version != "5.3-2" {
			t.Errorf("%s: %+v", path, c)
		}
		if c := changes[1]; c.Step != "rootfs/exec.config/a" || c.Package.Name != "" {
			t.Errorf("%s: %+v", path, c)
		}
	}
}

func TestNear(t *testing.T) {
	p := whyPlan(t)
	for path, want := range map[string]string{
		"/etc/host":           "/etc/hosts",
		"/etc/ap/app.cnf":     "/etc/app/app.conf",
		"/bin/basch":          "/usr/bin/bash",
		"/etc/mke2fs.con":     "", // only tools have it
		"/etc/something/else": "",
	} {
		if got := p.Near(path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	if names := entriesOf(p.Cache.Store.Data(p.Graph.Key("rootfs/bootstrap")), "/var/run"); names != nil {
		t.Errorf("a link leads to this machine: %v", names)
	}
}
