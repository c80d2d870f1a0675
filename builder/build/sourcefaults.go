package build

import (
	"errors"
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro"
)

// placed turns the faults of sources that an error consists of into diagnostics at
// the fields of those sources; any other error stays as it is.
func placed(err error, sources []config.Source, files map[string]*hcl.File) error {
	faults := sourceErrors(err)
	if len(faults) == 0 {
		return err
	}
	// A fault of the distribution's own archive is also one of the sources that are
	// derived from it, and is reported once.
	if slices.ContainsFunc(faults, func(f *distro.SourceError) bool { return f.Source == distro.MainSource }) {
		faults = slices.DeleteFunc(faults, func(f *distro.SourceError) bool { return slices.Contains(distro.OwnSources, f.Source) })
	}
	out := &diag.Faults{Files: files, Outside: true}
	for _, fault := range faults {
		out.List = append(out.List, sourceFault(fault, sources))
		out.Outside = out.Outside && fault.Outside
	}
	return out
}

// sourceErrors are all that an error has in it.
func sourceErrors(err error) []*distro.SourceError {
	switch e := err.(type) {
	case *distro.SourceError:
		return []*distro.SourceError{e}
	case interface{ Unwrap() []error }:
		var all []*distro.SourceError
		for _, one := range e.Unwrap() {
			all = append(all, sourceErrors(one)...)
		}
		return all
	}
	if inner := errors.Unwrap(err); inner != nil {
		return sourceErrors(inner)
	}
	return nil
}

func sourceFault(fault *distro.SourceError, sources []config.Source) *hcl.Diagnostic {
	d := &hcl.Diagnostic{Severity: hcl.DiagError, Summary: fault.Summary, Detail: fault.Detail}
	meant := config.Suggest(fault.Value, fault.Known)
	if slices.Contains(distro.OwnSources, fault.Source) && fault.Field == distro.SuitesField {
		fault.Known, meant = nil, "" // nobody has written the suite
	}
	if meant != "" {
		d.Detail += fmt.Sprintf(" Did you mean %q?", meant)
	} else if len(fault.Known) == 1 {
		d.Detail += fmt.Sprintf(" Did you mean %q?", fault.Known[0])
	}
	if fault.Source != distro.MainSource {
		d.Detail = fmt.Sprintf("Source %q: %s", fault.Source, d.Detail)
	}
	at := slices.IndexFunc(sources, func(s config.Source) bool { return s.Name == fault.Source })
	if at < 0 {
		return d
	}
	s := &sources[at]
	place := s.At(fault.Field, max(slices.Index(valuesOf(s, fault.Field), fault.Value), 0))
	if place.Filename != "" {
		d.Subject = &place
	}
	if slices.Contains(distro.OwnSources, fault.Source) && fault.Field == distro.SuitesField {
		d.Detail += " " + config.InSyntax(place, fault.Source, "false") + " does without it."
	}
	return d
}

// valuesOf are the values of a field that can have several.
func valuesOf(s *config.Source, field string) []string {
	switch field {
	case distro.URLsField:
		return s.URLs
	case distro.SuitesField:
		return s.Suites
	case distro.ComponentsField:
		return s.Components
	case distro.ArchitecturesField:
		return s.Architectures
	case distro.PackagesField:
		return s.Packages
	}
	return nil
}
