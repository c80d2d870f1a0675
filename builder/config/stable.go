package config

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// unreleased are the suites that have no security updates of their own by default:
// what is fixed goes into the suite itself.
var unreleased = []string{"testing", "sid", "unstable", "experimental", "rc-buggy"}

// released reports that a suite is one to which security updates are added.
func released(suite string) bool {
	_, _, added := addition(suite)
	return suite != "" && !slices.Contains(unreleased, suite) && !added
}

// debianSecurity is the archive of security updates for mirrors that have none
// beside them.
const debianSecurity = "http://deb.debian.org/debian-security"

// securityMirror is where the security updates of a mirror are.
func securityMirror(mirror string) string {
	u, err := url.Parse(mirror)
	if err != nil {
		return debianSecurity
	}
	switch {
	case u.Host == "deb.debian.org" && u.Path == "/debian":
		return mirror + "-security"
	case u.Host == "snapshot.debian.org":
		return strings.Replace(mirror, "/archive/debian/", "/archive/debian-security/", 1)
	}
	return debianSecurity
}

// securityComponents are what the archive of security updates has.
var securityComponents = []string{"main", "contrib", "non-free", "non-free-firmware"}

// flavourSources are all sources of a flavour.
func (l *loader) flavourSources(d, whole *draft, dist *Distribution) []Source {
	mainSource := Source{
		Name: MainSource, URLs: []string{dist.Mirror}, Suites: []string{dist.Suite}, Components: dist.Components, Keyring: dist.Keyring, CA: dist.CA, OnMachine: true,
		Range: dist.Range, Places: dist.Places,
	}
	all := append([]Source{mainSource}, l.addedSources(d, whole, dist, mainSource)...)
	if !slices.ContainsFunc(all, func(s Source) bool { return strings.HasPrefix(s.URLs[0], "https:") }) {
		l.vainAuthority(d.ca)
	}
	for _, s := range whole.sources {
		// What was inherited has been judged there.
		if slices.Contains(d.sources, s) || slices.ContainsFunc(d.sources, func(own *sourceDraft) bool { return own.name == s.name }) {
			if !l.wholeSource(s) {
				continue
			}
		} else if len(s.lists["urls"]) == 0 || len(s.lists["suites"]) == 0 {
			continue
		}
		all = append(all, s.source())
	}
	return all
}

// addedSources are the suites that are added to the distribution's own.
func (l *loader) addedSources(d, whole *draft, dist *Distribution, mainSource Source) []Source {
	suite := dist.Suite
	if suite == "" {
		return nil
	}
	strange := dist.strange()
	if strange == "" && l.partial(d, suite) {
		return nil
	}
	byDefault := released(suite) && strange == ""
	wanted := func(f *decision, otherwise bool) bool {
		if f == nil {
			return otherwise
		}
		if f.value && !released(suite) && suite != "testing" {
			l.say(Fault(f.at, "Suite without additions", "Nothing is added to the suite %q: what is new goes into the suite itself.", suite))
			return false
		}
		return f.value
	}
	var all []Source
	added := func(name, ending string, from *decision) *Source {
		s := mainSource
		s.Name, s.Suites = name, []string{suite + ending}
		if from != nil {
			s.Range, s.Places = from.at, maps.Clone(s.Places)
			delete(s.Places, "suites") // what asks for this one is elsewhere
		}
		all = append(all, s)
		return &all[len(all)-1]
	}
	if wanted(whole.security, byDefault || whole.securityMirror != nil && released(suite)) {
		s := added(SecuritySource, "-security", whole.security)
		s.URLs = []string{securityMirror(dist.Mirror)}
		if t := whole.securityMirror; t != nil && !t.bad {
			s.URLs, s.Places = []string{strings.TrimRight(t.value, "/")}, maps.Clone(s.Places)
			s.Places["urls"] = []hcl.Range{t.at}
		}
		s.Components = slices.DeleteFunc(slices.Clone(dist.Components), func(c string) bool { return !slices.Contains(securityComponents, c) })
		if len(s.Components) == 0 || strange != "" {
			s.Components = dist.Components
		}
	} else if l.vainMirror(d, whole, suite); released(suite) {
		dist.Unsecured = whole.unsecured(strange)
	}
	if wanted(whole.updates, byDefault) {
		added(UpdatesSource, "-updates", whole.updates)
	}
	if f := whole.backports; f != nil && f.value {
		if !released(suite) {
			l.say(Fault(f.at, "Suite without backports", "There are no backports for the suite %q.", suite))
		} else {
			added(BackportsSource, "-backports", f)
		}
	}
	return all
}

// strange reports why it is not known what an archive has beside its suite; "" for an
// archive of the family's own.
func (d *Distribution) strange() string {
	switch {
	case d.Keyring != "":
		return "the archive has a keyring of its own"
	case isDirectory(d.Mirror):
		return "the archive is a directory"
	}
	return ""
}

// vainMirror reports a mirror of security updates in a flavour without such updates.
// In a matrix, some suites may have them and others not.
func (l *loader) vainMirror(d, whole *draft, suite string) {
	t := d.securityMirror
	switch {
	case t == nil || t.bad || d.block.Matrix != nil:
	case whole.security != nil:
		l.say(Fault(t.at, "Mirror without effect", "Nothing is taken from it, because security is false at %s. Leave out one of the two.", PlaceOf(whole.security.at)))
	case !released(suite):
		l.say(Fault(t.at, "Mirror without effect", "Nothing is taken from it: fixes go into the suite %q itself. Leave it out, or write %s.", suite, InSyntax(t.at, "security", "true")))
	}
}

// unsecured explains why there are no security updates, and where that is written.
func (d *draft) unsecured(strange string) *Unsecured {
	switch {
	case d.security != nil:
		return &Unsecured{Range: d.security.at}
	case d.suite != nil:
		return &Unsecured{Reason: strange, Range: d.suite.at}
	}
	return &Unsecured{Reason: strange, Range: d.distribution}
}
