package worker

import (
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/plan"
)

// TestRootNotPacked: if the input of a step cannot be packed, the step and the steps after it run on this machine.
func TestRootNotPacked(t *testing.T) {
	needRoot(t)
	g := graphOf(t,
		strange.Step(struct{}{}, plan.Step{ID: "strange"}), nothing.Step(struct{}{}, plan.Step{ID: "after", Base: "strange"}),
		nothing.Step(struct{}{}, plan.Step{ID: "last", Base: "after"}), nothing.Step(struct{}{}, plan.Step{ID: "other"}),
	)
	here := newBuilder(t, nil)
	here.build(t, g)
	m := newMachines(t)
	b := newBuilder(t, m)
	b.build(t, g)
	if len(b.warned) != 2 || !strings.Contains(b.warned[1], "the inputs of a step cannot be sent: ") || !strings.HasSuffix(b.warned[1], "; such steps run on this machine, the first of them is after") {
		t.Errorf("warned of %q", b.warned)
	}
	if m.ran != 2 {
		t.Errorf("%d commands ran", m.ran)
	}
}
