package debian

import (
	"context"
	"fmt"
	"strings"

	"github.com/treewright/treewright/builder/distro"
)

// leftOut says of packages that are asked for as NAME/SUITE, and that the suite has,
// why [admitted] has left them out.
func (a *Archive) leftOut(ctx context.Context, missing []distro.Want) map[string]string {
	out := map[string]string{}
	for _, w := range missing {
		name, arch, qualified := strings.Cut(w.Name, ":")
		for _, part := range a.parts {
			if w.Suite == "" || !part.Source.Is(w.Suite) {
				continue
			}
			if index, err := part.parsed(ctx); err == nil && (qualified && index.hasFor(name, arch) || !qualified && len(index.byName[name]) > 0) {
				out[w.Name+"/"+w.Suite] = a.why(part.Source, name)
				break
			}
		}
	}
	return out
}

// why says why a package is not taken from a source.
func (a *Archive) why(from distro.Source, name string) string {
	if len(from.Packages) > 0 && !matches(from.Packages, name) {
		return fmt.Sprintf("no pattern in packages of the source %q is for it", from.Name)
	}
	for i, part := range a.parts {
		if s := part.Source; len(from.Packages) == 0 && len(s.Packages) > 0 && matches(s.Packages, name) && a.has(i, name) {
			return fmt.Sprintf("a pattern in packages of the source %q has it come from there alone", s.Name)
		}
	}
	return "another source has the same version as another file, which is taken: nothing could tell the two apart"
}
