package build

import (
	"slices"
	"testing"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/stage/planner"
)

// TestDownloads: the packages of each list of a plan are among its downloads, each once.
func TestDownloads(t *testing.T) {
	list := func(names ...string) *distro.Closure {
		c := &distro.Closure{}
		for _, name := range names {
			c.Packages = append(c.Packages, distro.Archived{SHA256: name})
		}
		return c
	}
	p := &Prepared{Packages: planner.Packages{
		Base: list("base"), System: list("base", "system"),
		Build: map[string]*distro.Closure{"program": list("base", "compiler")}, Extensions: map[string]*distro.Closure{"debug": list("gdb", "system")},
		Tools: map[distro.Purpose]planner.Tools{
			distro.ForCommit: {Packages: list("ostree"), Data: list("data"), From: &planner.Origin{Base: list("other base")}},
		},
	}}
	want := []string{"base", "compiler", "data", "gdb", "ostree", "other base", "system"}
	if got := p.Downloads(); !slices.Equal(got, want) {
		t.Errorf("downloads %v, want %v", got, want)
	}
}
