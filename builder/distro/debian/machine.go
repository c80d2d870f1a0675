package debian

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/distro"
)

// SourceFiles are the files by which a machine's apt knows sources, by their paths
// in the tree: a file of sources.list(5) for each, one of apt_preferences(5), and one of
// apt.conf(5) with the authorities. Keyrings and certificates are paths on the machine.
// The list of the distribution's own source is for features to write.
func (Family) SourceFiles(sources []distro.Source) map[string]string {
	files := map[string]string{}
	var pins, authorities strings.Builder
	for i, s := range sources {
		authorities.WriteString(authorityConf(s))
		if s.Name == distro.MainSource || i > 0 && sources[i-1].Name == s.Name {
			continue
		}
		var suites, told []string
		for _, other := range sources {
			if other.Name != s.Name {
				continue
			}
			suites = append(suites, other.Suite)
			for _, pin := range pinOf(sources, other) {
				if !slices.Contains(told, pin) {
					told = append(told, pin)
					writePins(&pins, pin, s)
				}
			}
		}
		var b strings.Builder
		fmt.Fprintf(&b, "Types: deb\nURIs: %s\nSuites: %s\n", openURL(s.URL), strings.Join(suites, " "))
		for _, f := range [][2]string{{"Components", strings.Join(s.Components, " ")}, {"Architectures", strings.Join(s.Architectures, " ")}, {"Signed-By", s.Keyring}} {
			if f[1] != "" {
				b.WriteString(f[0] + ": " + f[1] + "\n")
			}
		}
		name := s.Name
		if slices.Contains(distro.OwnSources, name) {
			name = "debian-" + name
		}
		files["/etc/apt/sources.list.d/"+name+".sources"] = b.String()
	}
	if pins.Len() > 0 {
		files["/etc/apt/preferences.d/sources"] = pins.String()
	}
	if authorities.Len() > 0 {
		files["/etc/apt/apt.conf.d/60sources"] = authorities.String()
	}
	return files
}

// writePins writes what a machine's apt has to know of the packages of a source.
func writePins(b *strings.Builder, pin string, s distro.Source) {
	packages, priority := "*", s.Priority
	switch {
	case len(s.Packages) > 0:
		fmt.Fprintf(b, "Package: *\nPin: %s\nPin-Priority: -1\n\n", pin)
		if packages = strings.Join(s.Packages, " "); priority == 0 {
			priority = 990 // they come from there, however new others are
		}
	case priority == 0:
		return
	}
	fmt.Fprintf(b, "Package: %s\nPin: %s\nPin-Priority: %d\n\n", packages, pin, priority)
}

// pinOf names a source as apt can tell it from all others: by its host, or by what
// its release file says of the suite. What neither tells apart is a fault of the
// configuration.
func pinOf(all []distro.Source, s distro.Source) []string {
	if slices.ContainsFunc(all, func(o distro.Source) bool { return o.Name != s.Name && hostOf(o) == hostOf(s) }) {
		return []string{"release a=" + s.Suite, "release n=" + s.Suite}
	}
	return []string{fmt.Sprintf("origin %q", hostOf(s))}
}

// hostOf is what apt calls the site of a source.
func hostOf(s distro.Source) string {
	u, err := url.Parse(s.URL)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// openURL is a URL without a password: everyone who gets the system can read it.
func openURL(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	u.User = nil
	return u.String()
}
