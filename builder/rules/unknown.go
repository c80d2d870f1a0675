package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/distro"
)

// UnknownPackage is the fault of asking for a package that the archive does not
// have, or not in that version, and says what there is in its place.
func UnknownPackage(sources []distro.Source, ix distro.Index, beside map[string]distro.Source, w compose.Want) *hcl.Diagnostic {
	name, arch, _ := strings.Cut(w.Name, ":")
	detail := fmt.Sprintf("%s no package %q.%s", distro.Have(sources), w.Name, successorHint(ix, name))
	if in, ok := beside[name]; ok {
		detail = notEnabled(sources, in, name)
	}
	switch vs := ix.Versions(name); {
	case len(vs) > 0 && arch != "" && w.Version == "" && w.Suite == "":
		detail = fmt.Sprintf("%s %s, but not for %s.", distro.Have(sources), name, arch)
	case len(vs) > 0:
		detail = fmt.Sprintf("%s %s in version %s, not %s.", distro.Have(sources), w.Name, strings.Join(vs, ", "), w.Version)
	}
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Unknown package", Detail: detail, Subject: w.Range.Ptr()}
}

// notEnabled is the text of asking for a package that is in what a source has and
// nobody asks for.
func notEnabled(sources []distro.Source, in distro.Source, name string) string {
	for _, s := range sources {
		if s.Name != in.Name || s.Suite != in.Suite {
			continue
		}
		quoted := make([]string, 0, len(s.Components)+1)
		for _, c := range append(slices.Clone(s.Components), in.Components...) {
			quoted = append(quoted, fmt.Sprintf("%q", c))
		}
		return fmt.Sprintf("%q is in the component %s of %s, which is not enabled: components = [%s].", name, in.Components[0], s, strings.Join(quoted, ", "))
	}
	return fmt.Sprintf("%q is in %s, which is not enabled: backports = true adds it to the distribution, and %s/%s takes the package from there.", name, in, name, in.Suite)
}

// successorHint is the end of a message on a package that is not there: what
// took its place, or was probably meant, or nothing.
func successorHint(ix distro.Index, name string) string {
	next := ix.Successor(name)
	quotedNames := make([]string, len(next.Names))
	for i, n := range next.Names {
		quotedNames[i] = fmt.Sprintf("%q", n)
	}
	switch {
	case next.Replaces && len(next.Names) == 1:
		return fmt.Sprintf(" It is replaced by %s there.", quotedNames[0])
	case next.Replaces:
		return fmt.Sprintf(" It is replaced there by one of %s.", strings.Join(quotedNames, ", "))
	case len(next.Names) > 0:
		return fmt.Sprintf(" Its successor there is %s.", quotedNames[0])
	}
	known := ix.Names()
	slices.Sort(known)
	if meant := config.SuggestTypo(name, known); meant != "" {
		return fmt.Sprintf(" Did you mean %q?", meant)
	}
	return " No replacement is known there: if the system does not need it, remove it from the list."
}
