package debian

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/treewright/treewright/builder/distro"
)

// Index is a parsed Packages file (Debian repository format; deb822(5)).
type Index struct {
	byName   map[string][]span
	provides map[string]bool
	required []string
	text     []byte

	relations relations
}

type span struct{ from, to int }

// ParseIndex reads a Packages file. It keeps text.
func ParseIndex(text []byte) (*Index, error) {
	ix := &Index{byName: map[string][]span{}, provides: map[string]bool{}, text: text}
	for from := 0; from < len(text); {
		to := len(text)
		if n := bytes.Index(text[from:], []byte("\n\n")); n >= 0 {
			to = from + n + 1
		}
		stanza := text[from:to]
		if len(bytes.TrimSpace(stanza)) > 0 {
			if err := ix.add(stanza, span{from, to}); err != nil {
				return nil, err
			}
		}
		from = to
		for from < len(text) && text[from] == '\n' {
			from++
		}
	}
	return ix, nil
}

func (ix *Index) add(stanza []byte, at span) error {
	name := field(stanza, "Package")
	if name == "" {
		return fmt.Errorf("package index: a paragraph at byte %d has no Package field", at.from)
	}
	ix.byName[name] = append(ix.byName[name], at)
	if field(stanza, "Essential") == "yes" || field(stanza, "Priority") == "required" {
		ix.required = append(ix.required, name)
	}
	for _, p := range strings.Split(field(stanza, "Provides"), ",") {
		if p = strings.TrimSpace(p); p != "" {
			p, _, _ = strings.Cut(p, " ")
			p, _, _ = strings.Cut(p, ":")
			ix.provides[p] = true
		}
	}
	return nil
}

// field returns the first line of a field, trimmed; "" if it is not there.
func field(stanza []byte, name string) string {
	prefix := name + ":"
	for len(stanza) > 0 {
		line := stanza
		if n := bytes.IndexByte(stanza, '\n'); n >= 0 {
			line, stanza = stanza[:n], stanza[n+1:]
		} else {
			stanza = nil
		}
		if len(line) > len(prefix) && line[0] == prefix[0] && string(line[:len(prefix)]) == prefix {
			return strings.TrimSpace(string(line[len(prefix):]))
		}
	}
	return ""
}

// Names returns the names of all packages, in no order.
func (ix *Index) Names() []string {
	names := make([]string, 0, len(ix.byName))
	for name := range ix.byName {
		names = append(names, name)
	}
	return names
}

// Has reports whether the name is a package or one that a package provides.
func (ix *Index) Has(name string) bool { return len(ix.byName[name]) > 0 || ix.provides[name] }

// hasFor reports whether there is a package of that name for an architecture.
func (ix *Index) hasFor(name, arch string) bool {
	for _, at := range ix.byName[name] {
		if sameArch(field(ix.text[at.from:at.to], "Architecture"), arch) {
			return true
		}
	}
	return false
}

// sameArch reports whether packages of two architectures take each other's place.
func sameArch(a, b string) bool { return a == b || a == "all" || b == "all" }

// Versions returns the versions of a package in the index.
func (ix *Index) Versions(name string) []string { return ix.versionsFor(name, "") }

// versionsFor are the versions of a package for an architecture ("" for any), each
// once.
func (ix *Index) versionsFor(name, arch string) []string {
	var out []string
	for _, at := range ix.byName[name] {
		stanza := ix.text[at.from:at.to]
		if v := field(stanza, "Version"); (arch == "" || sameArch(field(stanza, "Architecture"), arch)) && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// Required returns the packages that are essential or of priority required
// (Debian policy, 2.5 and 3.8), and apt, in the index's order.
func (ix *Index) Required() []string { return ix.required }

// Package returns the package with exactly that name and version, for that
// architecture.
func (ix *Index) Package(name, version, arch string) (distro.Archived, error) {
	for _, at := range ix.byName[name] {
		stanza := ix.text[at.from:at.to]
		if field(stanza, "Version") == version && field(stanza, "Architecture") == arch {
			return parsePackage(stanza)
		}
	}
	return distro.Archived{}, fmt.Errorf("package index: no %s %s for %s", name, version, arch)
}

func parsePackage(stanza []byte) (distro.Archived, error) {
	p := distro.Archived{
		Package:  distro.Package{Name: field(stanza, "Package"), Version: field(stanza, "Version"), Arch: field(stanza, "Architecture")},
		Filename: field(stanza, "Filename"), SHA256: field(stanza, "SHA256"), Stanza: string(stanza),
	}
	// The names become part of file names.
	if strings.ContainsAny(p.Name+p.Version+p.Arch, "/ \t") || p.Version == "" || p.Arch == "" {
		return p, fmt.Errorf("package index: bad package %q %q %q", p.Name, p.Version, p.Arch)
	}
	size, err := strconv.ParseInt(field(stanza, "Size"), 10, 64)
	if err != nil || size < 0 {
		return p, fmt.Errorf("package index: %s: bad Size %q", p.Name, field(stanza, "Size"))
	}
	p.Size = size
	if !isSHA256(p.SHA256) {
		return p, fmt.Errorf("package index: %s: bad SHA256 %q", p.Name, p.SHA256)
	}
	if p.Filename == "" || strings.HasPrefix(p.Filename, "/") || strings.Contains("/"+p.Filename+"/", "/../") {
		return p, fmt.Errorf("package index: %s: bad Filename %q", p.Name, p.Filename)
	}
	return p, nil
}

func isSHA256(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}

// parsePackages reads all packages of a small index, as [distro.Closure.Index] writes it.
func parsePackages(text []byte) ([]distro.Archived, error) {
	ix, err := ParseIndex(text)
	if err != nil {
		return nil, err
	}
	var out []distro.Archived
	for _, spans := range ix.byName {
		for _, at := range spans {
			p, err := parsePackage(text[at.from:at.to])
			if err != nil {
				return nil, err
			}
			out = append(out, p)
		}
	}
	sortPackages(out)
	return out, nil
}

func sortPackages(ps []distro.Archived) {
	slices.SortFunc(ps, func(a, b distro.Archived) int {
		if c := strings.Compare(a.Name, b.Name); c != 0 {
			return c
		}
		return strings.Compare(a.Arch, b.Arch)
	})
}

// relations are the fields of an index that are asked for only when a package
// is missing.
type relations struct {
	once sync.Once
	// replacedBy and providedBy list packages by the name in their field.
	replacedBy, providedBy map[string][]string
	// ousts has the pairs of a package and a name that it replaces and also
	// breaks or conflicts with: it takes that one's place, and not just some file.
	ousts map[[2]string]bool
	// byShape lists names by what they are without their numbers.
	byShape map[string][]string
}

// isLocal reports that a package is not of an archive.
func isLocal(p distro.Archived) bool { return field([]byte(p.Stanza), localField) != "" }

// localField is a field of an index that says that a package is not of an archive.
const localField = "Treewright-Local"
