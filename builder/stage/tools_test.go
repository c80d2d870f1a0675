package stage

import (
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/distro/debian"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/stage/planner"
	"github.com/treewright/treewright/builder/treetest"
)

// TestToolsByPurpose: another program among the tools for images makes images
// again, and nothing else.
func TestToolsByPurpose(t *testing.T) {
	project := loadProject(t, treetest.Shipped(t))
	i := slices.IndexFunc(project.Flavours, func(f *config.Flavour) bool { return f.Name == "debian-testing-amd64-dev" })
	if i < 0 {
		t.Fatal("the flavour is gone")
	}
	plans := func(change func(*planner.Request)) *plan.Graph {
		return planFlavour(t, treetest.Shipped(t), project, project.Flavours[i], change)
	}
	before := plans(nil)
	for purpose, again := range map[distro.Purpose][]string{
		distro.ForImage:     {"image/esp", "image/disk"},
		distro.ForExtension: {"extension/debug/image"},
	} {
		after := plans(func(r *planner.Request) {
			wants := append(slices.Clone(r.Packages.Tools[purpose].Wants), distro.Want{Name: "qemu-utils"})
			r.Packages.Tools[purpose] = fakeTools(r.Packages.Base, "amd64", wants)
		})
		want := append([]string{"packages/" + string(purpose) + "-tools", "tools/install-" + string(purpose) + "-tools"}, again...)
		for _, s := range after.Steps() {
			runs := before.Key(s.ID) != after.Key(s.ID)
			meant := slices.Contains(want, s.ID) || purpose == distro.ForExtension && strings.HasSuffix(s.ID, "/image")
			if runs != meant {
				t.Errorf("one more package for %s: %s runs again: %v", purpose, s.ID, runs)
			}
		}
		for _, id := range want {
			if after.Step(id) == nil {
				t.Errorf("there is no step %s", id)
			}
		}
	}
}

// TestPurposes: tools are resolved for what a flavour has, and scripts find the
// tools of all stages.
func TestPurposes(t *testing.T) {
	for _, arch := range []string{"amd64", "arm64"} {
		all := planner.ToolWants(debian.Family{}, distro.ForScripts, arch)
		for _, purpose := range []distro.Purpose{distro.ForCommit, distro.ForImage, distro.ForExtension} {
			for _, w := range planner.ToolWants(debian.Family{}, purpose, arch) {
				if !slices.Contains(all, w) {
					t.Errorf("%s: scripts do not find %s, which %s uses", arch, w.Name, purpose)
				}
			}
		}
	}
}
