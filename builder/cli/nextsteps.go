package cli

import (
	"fmt"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/vm"
)

// suggest lists what can be done with what was made: what works for this flavour, on this
// machine. Rel is where an artifact is.
func (c *command) suggest(made *build.Made, rel func(string) string) {
	next, boots := nextSteps(made, c.told("./build ")+c.elsewhere(), rel)
	if len(next) == 0 {
		return
	}
	fmt.Fprintf(c.Out, "\nNext:\n%s", next.text(c.width()))
	if !boots {
		return
	}
	if err := c.emulated(made.Subject.Spec.Flavour.Distribution.Arch); err != nil {
		fmt.Fprintf(c.Out, "  (a boot takes minutes here, as the machine is emulated: %v)\n", err)
	}
}

// emulated is why virtual machines of an architecture are emulated on this machine, nil
// if they are not.
func (c *command) emulated(arch string) error {
	if c.backend != nil && c.backend.KVM != nil {
		return c.backend.KVM(arch)
	}
	return vm.CheckKVM(arch)
}

// nextSteps suggests what the artifacts are good for, or, if that is nothing, the tree;
// and reports whether a machine is booted for it.
func nextSteps(made *build.Made, build string, rel func(string) string) (next pairs, boots bool) {
	m := made.Manifest
	image, _ := made.Subject.Image(m)
	step := next.add
	for _, a := range m.Artifacts {
		switch {
		case a.Kind == plan.RepositoryArtifact:
			step("serve it to machines:", build+"serve "+m.Flavour)
		case a.Name == image.Name:
			boots = true
			step("boot it, with a shell:", build+"run "+m.Flavour)
			if made.Subject.NoUpgrade == "" && m.Commit != "" {
				step("try an upgrade there:", build+"test "+m.Flavour+" --upgrade")
			} else {
				step("test it there:", build+"test "+m.Flavour)
			}
			if image.Format == "raw" {
				step("write it to a disk:", "dd if="+rel(a.Name)+" of=/dev/DISK bs=4M conv=sparse,fsync")
			}
		}
	}
	if len(next) == 0 && len(m.Extensions) > 0 && made.Subject.Served {
		step("serve it to machines:", build+"serve "+m.Flavour)
	}
	if !boots && made.HasTree() {
		step("look inside it:", build+"shell "+m.Flavour)
	}
	return next, boots
}
