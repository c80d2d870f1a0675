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
// have, or not in that version, and what there is instead. What the
// distribution may lack is written in the syntax of the file of at.
func UnknownPackage(e *distro.UnknownError, w compose.Want, at hcl.Range) *hcl.Diagnostic {
	sources, ix := e.Sources, e.Index
	name, arch, _ := strings.Cut(w.Name, ":")
	detail := fmt.Sprintf("%s no package %q.%s", distro.Have(sources), w.Name, successorHint(ix, name))
	if in, ok := e.Beside[name]; ok {
		detail = notEnabled(sources, in, name, at)
	}
	if provided := ix.Providers(name); len(provided) > 0 && w.Suite != "" {
		detail = fmt.Sprintf("%q is the name of no package: %s provide it. Name one of them.", w.Name, strings.Join(provided, ", "))
	}
	vs := ix.Versions(name)
	if of := e.Versions[w.Name]; len(of) > 0 {
		vs = of
	}
	switch {
	case e.LeftOut[w.String()] != "" && w.Suite == "":
		detail = fmt.Sprintf("%q is not taken: %s.", w.Name, e.LeftOut[w.String()])
	case len(vs) > 0 && w.Suite != "":
		detail = notInSuite(e, w, vs)
	case len(vs) > 0 && arch != "" && w.Version == "" && w.Suite == "":
		detail = fmt.Sprintf("%s %s, but not for %s.", distro.Have(sources), name, arch)
	case len(vs) > 0:
		detail = fmt.Sprintf("%s %s in version %s, not %s.", distro.Have(sources), w.Name, strings.Join(vs, ", "), w.Version)
	}
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Unknown package", Detail: detail, Subject: w.Range.Ptr()}
}

// notInSuite is the message for a package that is asked for from a suite which does
// not have it, or which it is not taken from, with the versions of other suites.
func notInSuite(e *distro.UnknownError, w compose.Want, versions []string) string {
	if why := e.LeftOut[w.String()]; why != "" {
		return fmt.Sprintf("%q is not taken from %s: %s.", w.Name, w.Suite, why)
	}
	return fmt.Sprintf("No source with the name or suite %q has a package %q. Others have it, in version %s.", w.Suite, w.Name, strings.Join(versions, ", "))
}

// notEnabled is the text of asking for a package that is in what a source has and
// nobody asks for.
func notEnabled(sources []distro.Source, in distro.Source, name string, at hcl.Range) string {
	for _, s := range sources {
		if s.Name != in.Name || s.Suite != in.Suite {
			continue
		}
		all := append(slices.Clone(s.Components), in.Components...)
		return fmt.Sprintf("%q is in the component %s of %s, which is not enabled: %s", name, in.Components[0], s, config.ListInSyntax(at, distro.ComponentsField, all...))
	}
	return fmt.Sprintf("%q is in %s, which is not enabled: %s adds it to the distribution, and %s/%s takes the package from there.", name, in, config.InSyntax(at, "backports", "true"), name, in.Suite)
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
	return NoReplacement
}

// NoReplacement ends the text of an unknown package of a list, if nothing like it is known.
const NoReplacement = " No replacement is known there: if the system does not need it, remove it from the list."
