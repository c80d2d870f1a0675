package debian

import (
	"strings"
	"testing"
)

func TestReadLicence(t *testing.T) {
	const format = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"
	files := func(licences ...string) string {
		text := format + "Upstream-Name: x\n"
		for _, l := range licences {
			text += "\nFiles: *\nCopyright: somebody\nLicense: " + l + "\n"
		}
		return text
	}
	for name, tc := range map[string]struct{ text, want string }{
		"not for programs":    {"This package was debianized by somebody.\n\nLicense: GPL-2\n", ""},
		"nothing":             {"", ""},
		"same names":          {files("Apache-2.0"), "Apache-2.0"},
		"Debian's names":      {files("GPL-2", "GPL-2+", "LGPL-2.1+", "Expat", "GFDL-1.3", "GPL-3.0+"), "GFDL-1.3-only AND GPL-2.0-only AND GPL-2.0-or-later AND GPL-3.0-or-later AND LGPL-2.1-or-later AND MIT"},
		"choice":              {files("GPL-1+ or Artistic-2.0"), "GPL-1.0-or-later OR Artistic-2.0"},
		"choice beside":       {files("GPL-1+ or MIT", "ISC"), "(GPL-1.0-or-later OR MIT) AND ISC"},
		"comma":               {files("GPL-1+ or MIT, and ISC"), "(GPL-1.0-or-later OR MIT) AND ISC"},
		"words in capitals":   {files("MIT AND ISC"), "ISC AND MIT"},
		"twice in others":     {files("GPL-2+ and MIT", "MIT", "GPL-2+"), "GPL-2.0-or-later AND MIT"},
		"twice":               {files("ISC", "isc"), "ISC"},
		"old URL":             {strings.Replace(files("ISC"), format, "Format: http://dep.debian.net/deps/dep5\n", 1), "ISC"},
		"no such version":     {files("GPL-9+"), "LicenseRef-GPL-9-"},
		"with an exception":   {files("GPL-2+ with OpenSSL exception"), "LicenseRef-GPL-2-with-OpenSSL-exception-"},
		"no number of a GPL":  {files("GPL"), "LicenseRef-GPL-"},
		"an empty short name": {files(""), ""},
	} {
		got := (database{}).ReadLicence(tc.text)
		if got.Expression != tc.want && !(strings.HasSuffix(tc.want, "-") && strings.HasPrefix(got.Expression, tc.want)) {
			t.Errorf("%s: %q, want %q", name, got.Expression, tc.want)
		}
	}
	text := format + "\nFiles: *\nCopyright: a\nLicense: custom_1\n\nFiles: b\nLicense: other\n Its text\n .\n is here.\n\nLicense: custom_1\n Do what you like.\n"
	got := (database{}).ReadLicence(text)
	if len(got.Texts) != 2 || !strings.HasPrefix(got.Expression, "LicenseRef-custom-1-") {
		t.Fatalf("%+v", got)
	}
	for id, text := range got.Texts {
		if !strings.Contains(got.Expression, id) || text != "Do what you like." && text != "Its text\n\nis here." {
			t.Errorf("%s of %s: %q", id, got.Expression, text)
		}
	}
	// One name with two texts is two licences.
	if again := (database{}).ReadLicence(strings.Replace(text, "like", "want", 1)); again.Expression == got.Expression {
		t.Errorf("another text is %s, too", again.Expression)
	}
}
