package debian

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/distro"
)

// leftOut reports why packages are not taken from a source that has them: [admitted] has
// left them out of the suite, or pins forbid them.
func (a *Archive) leftOut(ctx context.Context, missing []distro.Want) map[string]string {
	out := map[string]string{}
	for _, w := range missing {
		if source := a.below(w.Name); w.Suite == "" && source != "" {
			reason := "no other has it"
			if i := slices.IndexFunc(a.parts, func(part *Archive) bool { return part.Source.Name == source }); len(a.parts[i].Source.Packages) > 0 {
				reason = "its packages come from there alone"
			}
			out[w.String()] = fmt.Sprintf("the priority of the source %q is below 0, and %s; write %s/%s", source, reason, w.Name, source)
		}
		name, arch, qualified := strings.Cut(w.Name, ":")
		for _, part := range a.parts {
			if w.Suite == "" || !part.Source.Is(w.Suite) {
				continue
			}
			if index, err := part.parsed(ctx); err == nil && (qualified && index.hasFor(name, arch) || !qualified && len(index.byName[name]) > 0) {
				out[w.String()] = a.why(part.Source, name)
				break
			}
		}
	}
	return out
}

// below is the source of a package that only sources with a priority below 0 have,
// from which packages come only if they are asked for; "" if another source has it,
// too.
func (a *Archive) below(name string) string {
	if !slices.ContainsFunc(a.parts, func(part *Archive) bool { return part.Source.Priority < 0 }) {
		return ""
	}
	source := ""
	for i, part := range a.parts {
		switch {
		case !a.has(i, name):
		case part.Source.Priority >= 0:
			return ""
		case source == "":
			source = part.Source.Name
		}
	}
	return source
}

// why explains why a package is not taken from a source.
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
