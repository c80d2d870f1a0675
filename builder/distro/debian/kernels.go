package debian

import "strings"

// Kernel reports whether a package, by its name, brings a kernel or depends on one that does.
func (Family) Kernel(name string) bool {
	return strings.HasPrefix(name, "linux-image-") && !strings.HasSuffix(name, "-dbg")
}
