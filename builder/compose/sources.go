package compose

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/config"
)

// gatherSources fills in the sources: the distribution's, and those of features.
// Two features may bring the same one.
func (s *Spec) gatherSources(features []*config.Feature) hcl.Diagnostics {
	d := &s.Flavour.Distribution
	s.Sources = slices.Clone(d.All())
	var diags hcl.Diagnostics
	for _, f := range features {
		for _, own := range f.Sources {
			i := slices.IndexFunc(s.Sources, func(have config.Source) bool { return have.Name == own.Name })
			switch {
			case i < 0:
				s.Sources = append(s.Sources, own)
			case !sameSource(s.Sources[i], own):
				by := fmt.Sprintf("Flavour %q", s.Flavour.Name)
				if other := s.Sources[i].Feature; other != "" {
					by = fmt.Sprintf("Feature %q", other)
				}
				diags = append(diags, fault("Two sources of one name",
					fmt.Sprintf("%s has another source that is called %q, at %s. Give one of them another name.", by, own.Name, place(s.Sources[i].Range)), own.Range))
			case own.OnMachine:
				s.Sources[i].OnMachine = true
			}
		}
	}
	archs := append([]string{d.Arch}, d.Architectures...)
	for _, own := range s.Sources {
		if len(own.Architectures) > 0 && !slices.ContainsFunc(own.Architectures, func(a string) bool { return slices.Contains(archs, a) }) {
			diags = append(diags, fault("Source for other architectures",
				fmt.Sprintf("Flavour %q is for %s, for which the source %q is not asked.", s.Flavour.Name, strings.Join(archs, " and "), own.Name), own.At("architectures", 0)))
		}
	}
	diags = append(diags, s.checkPins()...)
	diags = append(diags, s.checkAuthorities()...)
	return append(diags, unsecured(d)...)
}

// checkPins finds sources on the machine's list that have pins, but that a machine
// cannot tell from others there: it knows only hosts and suites.
func (s *Spec) checkPins() hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, a := range s.Sources {
		if !a.OnMachine || a.Priority == 0 && len(a.Packages) == 0 {
			continue
		}
		for _, b := range s.Sources {
			shared := slices.ContainsFunc(a.Suites, func(suite string) bool { return strings.HasSuffix(suite, "/") || slices.Contains(b.Suites, suite) })
			if !b.OnMachine || a.Name == b.Name || hostOf(a) != hostOf(b) || !shared {
				continue
			}
			field := "priority"
			if len(a.Packages) > 0 {
				field = "packages"
			}
			diags = append(diags, fault("Pins that a machine cannot keep",
				fmt.Sprintf("The list of sources of the machine has the sources %q and %q, which are on one host and have the same suite: there, nothing tells their packages apart. Leave out on_machine of one of them.", a.Name, b.Name), a.At(field, 0)))
		}
	}
	return diags
}

// checkAuthorities finds sources on one host with different authorities: a host can
// have only one.
func (s *Spec) checkAuthorities() hcl.Diagnostics {
	var diags hcl.Diagnostics
	first := map[string]*config.Source{}
	for i := range s.Sources {
		own := &s.Sources[i]
		for _, at := range own.URLs {
			u, err := url.Parse(at)
			if err != nil || u.Scheme != "https" || own.CA == "" {
				continue
			}
			switch other := first[u.Hostname()]; {
			case other == nil:
				first[u.Hostname()] = own
			case other.CA != own.CA:
				diags = append(diags, fault("Two authorities for one host",
					fmt.Sprintf("The sources %q and %q are both on %s, but have different files with certificates: %s and %s. Name one file that has all certificates.", other.Name, own.Name, u.Hostname(), other.CA, own.CA), own.At("ca", 0)))
			}
		}
	}
	return diags
}

// hostOf is the host of a source, "" for a directory.
func hostOf(s config.Source) string {
	u, err := url.Parse(s.MachineURL())
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// sameSource reports whether two sources are the same except for where they are
// declared, and whether machines have them in their lists.
func sameSource(a, b config.Source) bool {
	return slices.Equal(a.URLs, b.URLs) && slices.Equal(a.Suites, b.Suites) && slices.Equal(a.Components, b.Components) &&
		slices.Equal(a.Architectures, b.Architectures) && slices.Equal(a.Packages, b.Packages) && a.Keyring == b.Keyring && a.CA == b.CA && a.Priority == b.Priority
}

// unsecured warns of a system without security updates.
func unsecured(d *config.Distribution) hcl.Diagnostics {
	u := d.Unsecured
	if u == nil {
		return nil
	}
	detail := fmt.Sprintf("Systems of %s are built without its security updates, because this line says so.", d.Suite)
	if u.Reason != "" {
		detail = fmt.Sprintf("Systems of %s are built without security updates: because %s, it is not known whether there is a suite %s-security. Name its archive with security_mirror.", d.Suite, u.Reason, d.Suite)
	}
	at := u.Range
	return hcl.Diagnostics{{Severity: hcl.DiagWarning, Summary: "No security updates", Detail: detail, Subject: &at}}
}

// checkSuites finds packages that are asked for of a suite that no source has.
func (s *Spec) checkSuites() hcl.Diagnostics {
	var known []string
	for _, src := range s.Sources {
		for _, name := range append(slices.Clone(src.Suites), src.Name) {
			if !slices.Contains(known, name) {
				known = append(known, name)
			}
		}
	}
	var diags hcl.Diagnostics
	check := func(wants []Want) {
		for _, w := range wants {
			if w.Suite == "" || slices.Contains(known, w.Suite) {
				continue
			}
			hint := config.DidYouMean(w.Suite, known)
			if d := s.Flavour.Distribution; w.Suite == d.Suite+"-backports" || w.Suite == config.BackportsSource {
				hint = " Add " + config.InSyntax(s.Flavour.Range, "backports", "true") + " to the distribution of the flavour."
			}
			diags = append(diags, fault("Unknown suite", fmt.Sprintf("Flavour %q has no source with the suite %q; there are %s.%s", s.Flavour.Name, w.Suite, strings.Join(known, ", "), hint), w.Range))
		}
	}
	check(s.Packages)
	for _, e := range s.Extensions {
		check(e.Packages)
	}
	for _, f := range s.selection.Features {
		check(s.BuildPackages[f])
	}
	return diags
}
