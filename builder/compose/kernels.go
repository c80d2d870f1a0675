package compose

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// checkKernels finds a system that is committed and asks for more than one kernel. isKernel
// is [config.Project.Kernel].
func (s *Spec) checkKernels(isKernel func(family, name string) bool) hcl.Diagnostics {
	if isKernel == nil || s.StageFeature("commit") == nil {
		return nil
	}
	var kernels []Want
	for _, w := range s.Packages {
		if name, _, _ := strings.Cut(w.Name, ":"); isKernel(s.Flavour.Distribution.Family, name) {
			kernels = append(kernels, w)
		}
	}
	if len(kernels) < 2 {
		return nil
	}
	first, second := kernels[0], kernels[1]
	return hcl.Diagnostics{warning("Two kernels",
		fmt.Sprintf("Flavour %q asks for %s here, and for %s at %s. A commit can have one kernel only. Remove one of the two lines, or choose the kernel by a parameter, as kernel of base.",
			s.Flavour.Name, second.Name, first.Name, place(first.Range)), second.Range)}
}
