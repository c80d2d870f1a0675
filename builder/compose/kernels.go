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
	if len(kernels) == 0 {
		return s.noKernel(isKernel)
	}
	if len(kernels) == 1 {
		return nil
	}
	first, second := kernels[0], kernels[1]
	return hcl.Diagnostics{warning("Two kernels",
		fmt.Sprintf("Flavour %q asks for %s here, and for %s at %s. A commit can have one kernel only. Remove one of the two lines, or choose the kernel by a parameter, as kernel of base.",
			s.Flavour.Name, second.Name, first.Name, place(first.Range)), second.Range)}
}

// noKernel is the warning of a system that is committed and whose only kernel is excluded.
func (s *Spec) noKernel(isKernel func(family, name string) bool) hcl.Diagnostics {
	for _, w := range s.Excluded {
		if isKernel(s.Flavour.Distribution.Family, w.Name) {
			return hcl.Diagnostics{warning("No kernel",
				fmt.Sprintf("Flavour %q excludes %s here, and names no other kernel, without which a commit cannot be made.", s.Flavour.Name, w.Name), w.Range)}
		}
	}
	return nil
}
