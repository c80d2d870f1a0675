package build

import (
	"errors"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/engine"
)

// TestMadeBy: the error of a step names the steps that made the files which it mentions.
// Nothing is added for files that no layer has.
func TestMadeBy(t *testing.T) {
	l := whyLayers(t)
	l.steps[1].Title = "run exec.config of a"
	failed := &engine.StepError{Step: "commit/tree", Paths: []string{"/etc/app/app.conf", "/etc/none", "/bin/bash"}, Err: errors.New("this tree cannot be committed")}
	l.madeBy(failed)
	want := "step commit/tree: this tree cannot be committed\n" +
		"/etc/app/app.conf is from step rootfs/exec.config/a: run exec.config of a\n" +
		"/bin/bash is from step rootfs/exec.config/a: run exec.config of a"
	if got := failed.Error(); got != want {
		t.Errorf("got %s", got)
	}
	failed = &engine.StepError{Paths: make([]string, 2*mostMade), Err: errors.New("x")}
	for i := range failed.Paths {
		failed.Paths[i] = "/etc/hosts"
	}
	if l.madeBy(failed); strings.Count(failed.Error(), "\n") != mostMade {
		t.Errorf("got %s", failed)
	}
}
