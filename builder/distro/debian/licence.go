package debian

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/treewright/treewright/builder/distro"
)

// LicenceFile is the path that Debian's policy (12.5) prescribes.
func (database) LicenceFile(p distro.Package) string {
	return "usr/share/doc/" + p.Name + "/copyright"
}

// copyrightFormat is the first line of copyright files that programs can read, whose
// URL has had several forms.
var copyrightFormat = regexp.MustCompile(`(?i)^format(-specification)?:\s*\S*(copyright-format/1\.0|/dep5\b|dep-5)`)

// ReadLicence reads a copyright file of the form
// https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/. The expression
// has the licences of all files of the source package.
func (database) ReadLicence(text string) distro.Licence {
	text = strings.TrimLeft(strings.ReplaceAll(text, "\r\n", "\n"), "\n \t\ufeff")
	first, _, _ := strings.Cut(text, "\n")
	if !copyrightFormat.MatchString(first) {
		return distro.Licence{}
	}
	var names []string // of files
	texts := map[string]string{}
	for _, paragraph := range regexp.MustCompile(`\n[ \t]*\n`).Split(text, -1) {
		name, whole, ok := licenceField(paragraph)
		if !ok {
			continue
		}
		if whole != "" {
			texts[strings.ToLower(name)] = whole
		}
		// A paragraph without files is the text of licences that others name.
		if wholeField(paragraph, "Files") != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	e := expression{licence: distro.Licence{Texts: map[string]string{}}, texts: texts}
	var parts []string
	for _, name := range names {
		all := []string{e.of(name)}
		if !strings.Contains(all[0], " OR ") {
			all = strings.Split(all[0], " AND ")
		}
		for _, part := range all {
			if !slices.Contains(parts, part) {
				parts = append(parts, part)
			}
		}
	}
	slices.Sort(parts)
	for i, part := range parts {
		if strings.Contains(part, " OR ") && len(parts) > 1 {
			parts[i] = "(" + part + ")"
		}
	}
	e.licence.Expression = strings.Join(parts, " AND ")
	return e.licence
}

// licenceField is the field License of a paragraph: the short name, and the text below
// it, in which a dot is an empty line.
func licenceField(paragraph string) (name, text string, ok bool) {
	in := false
	var lines []string
	for line := range strings.Lines(paragraph) {
		line = strings.TrimRight(line, "\n")
		switch {
		case line == "" || line[0] == '#':
		case line[0] == ' ' || line[0] == '\t':
			if !in {
				continue
			}
			if line = strings.TrimPrefix(line, " "); strings.TrimSpace(line) == "." {
				line = ""
			}
			lines = append(lines, line)
		default:
			field, rest, _ := strings.Cut(line, ":")
			if in = strings.EqualFold(field, "License"); in {
				name, ok = strings.Join(strings.Fields(rest), " "), true
			}
		}
	}
	return name, strings.TrimSpace(strings.Join(lines, "\n")), ok && name != ""
}

// expression translates names of licences.
type expression struct {
	licence distro.Licence
	texts   map[string]string // by name in lower case
}

// of translates "A", "A or B", "A and B", "A or B, and C". A comma binds less than the words
// alone, of which "and" binds more than "or".
func (e *expression) of(name string) string {
	for _, by := range []struct{ word, operator string }{{", or ", " OR "}, {", and ", " AND "}, {" or ", " OR "}, {" and ", " AND "}} {
		parts := splitFold(name, by.word)
		if len(parts) < 2 {
			continue
		}
		for i, part := range parts {
			parts[i] = e.of(strings.Trim(part, " ,"))
			if by.operator == " AND " && strings.Contains(parts[i], " OR ") {
				parts[i] = "(" + parts[i] + ")"
			}
		}
		return strings.Join(parts, by.operator)
	}
	return e.one(name)
}

// splitFold splits at a word in any case.
func splitFold(text, word string) []string {
	return regexp.MustCompile(`(?i)`+regexp.QuoteMeta(word)).Split(text, -1)
}

// one translates the name of one licence.
func (e *expression) one(name string) string {
	if id := spdxOf(name); id != "" {
		return id
	}
	text := e.texts[strings.ToLower(name)]
	if text == "" {
		text = "The copyright file of the package names this licence without its text: " + name
	}
	sum := sha256.Sum256([]byte(text))
	id := "LicenseRef-" + strings.Trim(regexp.MustCompile(`[^A-Za-z0-9.]+`).ReplaceAllString(name, "-"), "-") + "-" + hex.EncodeToString(sum[:4])
	e.licence.Texts[id] = text
	return id
}

// versioned are licences whose names have a version, and a "+" for later ones.
var versioned = regexp.MustCompile(`^(a?gpl|lgpl|gfdl)-?v?([0-9](?:\.[0-9])?)(?:\.0)?(\+|-or-later|-only)?$`)

// spdxOf is the SPDX identifier of a licence that has one under that name, or under the
// short name that the copyright format gives to the same text; "" for any other.
func spdxOf(name string) string {
	lower := strings.ToLower(strings.TrimSpace(name))
	if id, ok := spdxNames()[lower]; ok {
		return id
	}
	m := versioned.FindStringSubmatch(lower)
	if m == nil {
		return ""
	}
	version := m[2]
	if !strings.Contains(version, ".") {
		version += ".0"
	}
	known := map[string]string{"gpl": "1.0 2.0 3.0", "lgpl": "2.0 2.1 3.0", "agpl": "3.0", "gfdl": "1.1 1.2 1.3"}
	if !slices.Contains(strings.Fields(known[m[1]]), version) {
		return ""
	}
	id := strings.ToUpper(m[1]) + "-" + version
	if m[3] == "+" || m[3] == "-or-later" {
		return id + "-or-later"
	}
	return id + "-only"
}

// spdxNames are, by short names in lower case, the identifiers of the same licences.
var spdxNames = sync.OnceValue(func() map[string]string {
	names := map[string]string{"expat": "MIT", "mit/x11": "", "gpl": "", "psf-2": "PSF-2.0", "python-2.0": "Python-2.0", "cc0": "CC0-1.0", "boost-1.0": "BSL-1.0"}
	for id := range strings.FieldsSeq(`0BSD AFL-2.1 AFL-3.0 Apache-1.1 Apache-2.0 Artistic-1.0 Artistic-2.0 BSD-2-Clause BSD-3-Clause BSD-4-Clause
		BSD-4-Clause-UC BSL-1.0 Beerware CC-BY-3.0 CC-BY-4.0 CC-BY-SA-2.0 CC-BY-SA-3.0 CC-BY-SA-4.0 CC0-1.0 CDDL-1.0 CDDL-1.1 curl CPL-1.0 EPL-1.0
		EPL-2.0 EUPL-1.1 EUPL-1.2 FSFAP FSFUL FSFULLR FTL HPND ICU IJG ISC JSON LPPL-1.3c MIT MIT-0 MPL-1.1 MPL-2.0 MS-PL NCSA NTP OFL-1.0 OFL-1.1
		OLDAP-2.8 OpenSSL PHP-3.01 PSF-2.0 QPL-1.0 Ruby SSH-OpenSSH Unicode-DFS-2016 Unicode-3.0 Unlicense Vim W3C WTFPL X11 Zlib ZPL-2.0 ZPL-2.1
		bzip2-1.0.6 libtiff zlib-acknowledgement`) {
		names[strings.ToLower(id)] = id
	}
	return names
})
