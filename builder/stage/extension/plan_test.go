package extension

import (
	"testing"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/stage/planner"
)

func TestExtensionNames(t *testing.T) {
	p := &planner.Planner{}
	if err := p.Graph.Add(plan.Step{ID: "image/disk", Artifacts: []plan.Artifact{{Name: "debian.raw"}}}); err != nil {
		t.Fatal(err)
	}
	for name, ok := range map[string]bool{"debug": true, "debian": false, "SHA256SUMS": false, "logs": true} {
		ext := compose.Extension{Name: name, Feature: &config.Feature{Name: "sysext-" + name}}
		if err := nameIsFree(p, ext, name, name+".raw"); (err == nil) != ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
