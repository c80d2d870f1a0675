package debian

import (
	"fmt"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/distro"
)

const described = `Package: libstdc++6
Status: install ok installed
Maintainer: Debian GCC Maintainers <debian-gcc@lists.debian.org>
Architecture: amd64
Multi-Arch: same
Source: gcc-14
Version: 14.2.0-19
Depends: gcc-14-base (= 14.2.0-19), libc6 (>= 2.38)
Description: GNU Standard C++ Library v3
 This package contains an additional runtime library
Homepage: http://gcc.gnu.org/

Package: libstdc++6
Status: install ok installed
Architecture: i386
Multi-Arch: same
Source: gcc-14
Version: 14.2.0-19
Depends: libc6 (>= 2.38)

Package: libc6
Status: install ok installed
Architecture: amd64
Source: glibc
Version: 2.41-12

Package: libc6
Status: install ok installed
Architecture: i386
Source: glibc
Version: 2.41-12

Package: bsdutils
Status: install ok installed
Architecture: amd64
Source: util-linux (2.41-5)
Version: 1:2.41-5+b1
Pre-Depends: libc6 (>= 2.38)
Depends: mawk | awk, gone,
 libc6:any

Package: mawk
Status: hold ok installed
Architecture: amd64
Version: 1.3.4~20250131-1
Provides: awk

Package: old
Status: deinstall ok config-files
Architecture: amd64
Version: 1

Package: half
Status: install ok unpacked
Architecture: amd64
Version: 1
`

func TestDescribe(t *testing.T) {
	var got []string
	for _, d := range (database{}).Describe(described) {
		got = append(got, fmt.Sprintf("%s %s %v", (database{}).PURL(d, "debian", "trixie"), d.Summary, d.Depends))
	}
	want := []string{
		"pkg:deb/debian/bsdutils@1%3A2.41-5%2Bb1?arch=amd64&distro=trixie&upstream=util-linux%402.41-5  [libc6 2.41-12 amd64 mawk 1.3.4~20250131-1 amd64]",
		"pkg:deb/debian/libc6@2.41-12?arch=amd64&distro=trixie&upstream=glibc%402.41-12  []",
		"pkg:deb/debian/libc6@2.41-12?arch=i386&distro=trixie&upstream=glibc%402.41-12  []",
		"pkg:deb/debian/libstdc%2B%2B6@14.2.0-19?arch=amd64&distro=trixie&upstream=gcc-14%4014.2.0-19 GNU Standard C++ Library v3 [libc6 2.41-12 amd64]",
		"pkg:deb/debian/libstdc%2B%2B6@14.2.0-19?arch=i386&distro=trixie&upstream=gcc-14%4014.2.0-19  [libc6 2.41-12 i386]",
		"pkg:deb/debian/mawk@1.3.4~20250131-1?arch=amd64&distro=trixie  []",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	// The list and the state count the same packages.
	if n := len((database{}).ReadState(described).Installed); n != len(want) {
		t.Errorf("ReadState has %d packages", n)
	}
	if got := (database{}).PURL(distro.Described{Package: distro.Package{Name: "a", Version: "1", Arch: "all"}, Source: "a", SourceVersion: "1"}, "local", ""); got != "pkg:deb/local/a@1?arch=all" {
		t.Errorf("a package of no distribution: %s", got)
	}
}

func TestReadPURL(t *testing.T) {
	for _, d := range (database{}).Describe(described) {
		purl := (database{}).PURL(d, "debian", "trixie")
		back, vendor, release, ok := (database{}).ReadPURL(purl)
		if !ok || back.Package != d.Package || back.Source != d.Source || back.SourceVersion != d.SourceVersion || vendor != "debian" || release != "trixie" {
			t.Errorf("%s is read as %+v of %s %s, %v", purl, back, vendor, release, ok)
		}
	}
	// As other programs write them.
	d, vendor, release, ok := (database{}).ReadPURL("pkg:deb/debian/bsdutils@2.38.1-5+b1?arch=amd64&distro=debian-12&epoch=1&upstream=util-linux")
	if !ok || d.Version != "1:2.38.1-5+b1" || d.Source != "util-linux" || d.SourceVersion != d.Version || vendor != "debian" || release != "debian-12" {
		t.Errorf("%+v %s %s %v", d, vendor, release, ok)
	}
	for _, other := range []string{"pkg:golang/golang.org/x/sys@v0.1", "pkg:deb", "", "http://a/b", "pkg:deb/debian/%zz@1"} {
		if d, _, _, ok := (database{}).ReadPURL(other); ok {
			t.Errorf("%q is read as %+v", other, d)
		}
	}
}
