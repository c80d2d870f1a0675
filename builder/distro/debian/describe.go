package debian

import (
	"net/url"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/distro"
)

// Describe reads a dpkg status file.
func (database) Describe(text string) []distro.Described {
	stanzas := map[distro.Package]string{}
	named := map[string][]distro.Package{} // also by what they provide
	for stanza := range strings.SplitSeq(text, "\n\n") {
		words := strings.Fields(field([]byte(stanza), "Status"))
		if len(words) != 3 || words[2] != "installed" {
			continue
		}
		p := distro.Package{Name: field([]byte(stanza), "Package"), Version: field([]byte(stanza), "Version"), Arch: field([]byte(stanza), "Architecture")}
		stanzas[p] = stanza
		for _, name := range append(relationNames(wholeField(stanza, "Provides")), p.Name) {
			named[name] = append(named[name], p)
		}
	}
	var all []distro.Described
	for p, stanza := range stanzas {
		all = append(all, describe(p, stanza, named))
	}
	slices.SortFunc(all, func(a, b distro.Described) int { return a.Package.Compare(b.Package) })
	return all
}

// describe reads a package's stanza. named has the packages of the tree, by all of their
// names.
func describe(p distro.Package, stanza string, named map[string][]distro.Package) distro.Described {
	d := distro.Described{
		Package: p, Source: p.Name, SourceVersion: p.Version,
		Maintainer: field([]byte(stanza), "Maintainer"), Homepage: field([]byte(stanza), "Homepage"), Summary: field([]byte(stanza), "Description"),
	}
	// "Source: NAME" or "Source: NAME (VERSION)", where they differ from the package's.
	if name, version, _ := strings.Cut(field([]byte(stanza), "Source"), " "); name != "" {
		d.Source = name
		if version = strings.Trim(version, "() "); version != "" {
			d.SourceVersion = version
		}
	}
	for _, name := range relationNames(wholeField(stanza, "Depends") + "," + wholeField(stanza, "Pre-Depends")) {
		for _, on := range named[name] {
			// Of two architectures a package needs its own, or one that is for all.
			if on == p || len(named[name]) > 1 && on.Arch != p.Arch && on.Arch != "all" && p.Arch != "all" && on.Name == name {
				continue
			}
			d.Depends = append(d.Depends, on)
		}
	}
	slices.SortFunc(d.Depends, distro.Package.Compare)
	d.Depends = slices.Compact(d.Depends)
	return d
}

// PURL returns a URL of the type "deb" of the specification. More is percent-encoded than
// necessary: readers decode it, and some take ":" for a separator.
func (database) PURL(d distro.Described, vendor, release string) string {
	var b strings.Builder
	b.WriteString("pkg:deb/" + encode(vendor) + "/" + encode(strings.ToLower(d.Name)) + "@" + encode(d.Version) + "?arch=" + encode(d.Arch))
	if release != "" {
		b.WriteString("&distro=" + encode(release))
	}
	if d.Source != d.Name || d.SourceVersion != d.Version {
		b.WriteString("&upstream=" + encode(d.Source+"@"+d.SourceVersion))
	}
	return b.String()
}

// ReadPURL reads what PURL writes, and what other programs write of Debian's packages:
// the source package may have no version, and the epoch may be by itself.
func (database) ReadPURL(purl string) (d distro.Described, vendor, release string, ok bool) {
	u, err := url.Parse(purl)
	if err != nil || u.Scheme != "pkg" {
		return d, "", "", false
	}
	query, err := url.ParseQuery(strings.ReplaceAll(u.RawQuery, "+", "%2B"))
	if err != nil {
		return d, "", "", false
	}
	rest, isDeb := strings.CutPrefix(u.Opaque, "deb/")
	where, version, _ := strings.Cut(rest, "@")
	i := strings.LastIndexByte(where, '/')
	if !isDeb || i < 0 {
		return d, "", "", false
	}
	for _, part := range []struct {
		into *string
		text string
	}{{&vendor, where[:i]}, {&d.Name, where[i+1:]}, {&d.Version, version}} {
		if *part.into, err = url.PathUnescape(part.text); err != nil {
			return d, "", "", false
		}
	}
	if epoch := query.Get("epoch"); epoch != "" && !strings.Contains(d.Version, ":") {
		d.Version = epoch + ":" + d.Version
	}
	d.Arch, release = query.Get("arch"), query.Get("distro")
	d.Source, d.SourceVersion = d.Name, d.Version
	if name, version, _ := strings.Cut(query.Get("upstream"), "@"); name != "" {
		d.Source = name
		if version != "" {
			d.SourceVersion = version
		}
	}
	return d, vendor, release, true
}

// encode leaves letters, digits and "-._~".
func encode(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }
