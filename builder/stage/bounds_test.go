package stage

import (
	"testing"

	"github.com/treewright/treewright"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/stage/image"
)

// TestTriesAreBoundedAlike: check allows as many tries as the boot loader's file counts.
func TestTriesAreBoundedAlike(t *testing.T) {
	project, diags := config.Load(treewright.Tree(), config.Options{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for _, p := range project.Features["ostreeImage"].Parameters {
		if p.Name != "boot_tries" {
			continue
		}
		if problem := p.Problem(int64(image.MaxTries)); problem != "" {
			t.Errorf("%d tries: %s", image.MaxTries, problem)
		}
		if p.Problem(int64(image.MaxTries+1)) == "" {
			t.Errorf("%d tries are not a fault", image.MaxTries+1)
		}
		return
	}
	t.Error("ostreeImage has no boot_tries")
}
