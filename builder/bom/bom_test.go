package bom_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/bom"
	"github.com/treewright/treewright/builder/bom/bomtest"
	"github.com/treewright/treewright/builder/distro"
)

// bill is one with all that is unusual.
func bill() *bom.Bill {
	pkg := func(name, version, arch, purl string, on ...distro.Package) bom.Package {
		return bom.Package{Described: distro.Described{Package: distro.Package{Name: name, Version: version, Arch: arch}, Source: name, SourceVersion: version, Depends: on}, PURL: purl}
	}
	libc := distro.Package{Name: "libc6", Version: "2.41-12", Arch: "amd64"}
	cxx := pkg("libstdc++6", "14.2.0-19", "amd64", "pkg:deb/debian/libstdc%2B%2B6@14.2.0-19?arch=amd64&distro=trixie&upstream=gcc-14%4014.2.0-19", libc, distro.Package{Name: "elsewhere"})
	cxx.Source, cxx.Maintainer, cxx.Homepage, cxx.Summary = "gcc-14", "Debian GCC Maintainers <debian-gcc@lists.debian.org>", "http://gcc.gnu.org/", "GNU <Standard> C++ & more"
	cxx.Licence = distro.Licence{Expression: "GPL-3.0-or-later AND LicenseRef-x-12", Texts: map[string]string{"LicenseRef-x-12": "do what you like"}}
	cxx.SHA256 = strings.Repeat("ab", 32)
	odd := pkg("odd", "1:2~rc1+b2", "all", "pkg:deb/local/odd@1%3A2~rc1%2Bb2?arch=all")
	odd.Homepage, odd.Maintainer, odd.Feature = "see the README", "nobody", "mine"
	return &bom.Bill{
		Name: "example flavour", Version: "0123456789ab", Description: "an example", Epoch: 1700000000,
		Properties: []bom.Property{{"treewright:features", "base mine"}},
		Packages: []bom.Package{
			pkg("libc6", "2.41-12", "amd64", "pkg:deb/debian/libc6@2.41-12?arch=amd64&distro=trixie"),
			pkg("libc6", "2.41-12", "i386", "pkg:deb/debian/libc6@2.41-12?arch=i386&distro=trixie"), cxx, odd,
		},
		Files: []bom.File{
			{Path: "/etc/motd", SHA1: strings.Repeat("0", 40), SHA256: strings.Repeat("0", 64), Feature: "mine", By: "file.include"},
			{Path: "/usr/bin/tool with space", SHA1: strings.Repeat("1", 40), SHA256: strings.Repeat("1", 64), Feature: "mine", By: "exec.build"},
			{Path: "/etc/other", SHA1: strings.Repeat("2", 40), SHA256: strings.Repeat("2", 64), Feature: "_flag", By: "generated"},
		},
	}
}

var formats = []struct {
	name, schema string
	write        func(*bom.Bill) ([]byte, error)
	// needed are texts of a bill that its schema requires.
	needed []string
}{
	{"CycloneDX", bomtest.CycloneDX, bom.CycloneDX, []string{`"bomFormat"`, `"type": "library"`}},
	{"SPDX", bomtest.SPDX, bom.SPDX, []string{`"spdxVersion"`, `"checksumValue"`, `"CONTAINS"`, `"SHA1"`}},
}

// TestSchemas: the formats' own schemas accept what is written, and refuse it when it is
// broken.
func TestSchemas(t *testing.T) {
	for _, f := range formats {
		extension := bill()
		extension.Extension = true
		for name, b := range map[string]*bom.Bill{"a system": bill(), "an extension": extension, "nothing": {Name: "empty"}} {
			text, err := f.write(b)
			if err != nil {
				t.Fatal(err)
			}
			if err := bomtest.Check(t, f.schema, text); err != nil {
				t.Errorf("%s of %s: %v", f.name, name, err)
			}
			again, err := f.write(b)
			if err != nil || !bytes.Equal(text, again) {
				t.Errorf("%s of %s is other bytes the second time, error %v", f.name, name, err)
			}
		}
		text, _ := f.write(bill())
		for _, key := range f.needed {
			broken := bytes.Replace(text, []byte(key), []byte(strings.Replace(key, `"`, `"x`, 1)), 1)
			if bytes.Equal(broken, text) {
				t.Errorf("%s does not have %s", f.name, key)
			} else if bomtest.Check(t, f.schema, broken) == nil {
				t.Errorf("%s without %s is accepted", f.name, key)
			}
		}
	}
}

// TestIdentity: another content is another document.
func TestIdentity(t *testing.T) {
	type ids struct{ SerialNumber, DocumentNamespace string }
	for _, f := range formats {
		of := func(b *bom.Bill) (got ids) {
			text, err := f.write(b)
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(text, &got); err != nil {
				t.Fatal(err)
			}
			return got
		}
		other := bill()
		other.Files[0].SHA256 = strings.Repeat("3", 64)
		if a, b := of(bill()), of(other); a == b || a == (ids{}) {
			t.Errorf("%s: %+v and %+v", f.name, a, b)
		}
	}
}

// TestContent looks at what the schemas do not check.
func TestContent(t *testing.T) {
	text, err := bom.CycloneDX(bill())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"timestamp": "2023-11-14T22:13:20Z"`, `"expression": "GPL-3.0-or-later AND LicenseRef-x-12"`, `"description": "GNU <Standard>`, `"url": "http://gcc.gnu.org/"`,
		"\"dependsOn\": [\n        \"pkg:deb/debian/libc6@2.41-12?arch=amd64&distro=trixie\"\n      ]",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("CycloneDX lacks %s", want)
		}
	}
	if strings.Contains(string(text), "see the README") {
		t.Error("what is not a URL is given as one")
	}
	text, err = bom.SPDX(bill())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"SPDXID": "SPDXRef-Package-libstdc-2B-2B6-amd64"`, `"extractedText": "do what you like"`, `"supplier": "Organization: Debian GCC Maintainers (debian-gcc@lists.debian.org)"`,
		`"fileName": "./usr/bin/tool with space"`, `"relationshipType": "DESCRIBES"`, `"relationshipType": "DEPENDS_ON"`, `"created": "2023-11-14T22:13:20Z"`,
		`"documentNamespace": "https://spdx.org/spdxdocs/example%20flavour-`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("SPDX lacks %s", want)
		}
	}
	if strings.Contains(string(text), "elsewhere") {
		t.Error("a package that is not in the bill is related to")
	}
}

func TestReadCycloneDX(t *testing.T) {
	text, err := bom.CycloneDX(bill())
	if err != nil {
		t.Fatal(err)
	}
	name, purls, err := bom.ReadCycloneDX(bytes.NewReader(text))
	if err != nil || name != "example flavour" || len(purls) != 4 || !slices.Contains(purls, "pkg:deb/local/odd@1%3A2~rc1%2Bb2?arch=all") {
		t.Errorf("%q %v, error %v", name, purls, err)
	}
	for _, bad := range []string{"", "{}", "[]", `{"bomFormat": "SPDX"}`, `{"spdxVersion": "SPDX-2.3"}`} {
		if _, _, err := bom.ReadCycloneDX(strings.NewReader(bad)); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
}
