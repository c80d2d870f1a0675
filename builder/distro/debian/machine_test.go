package debian

import (
	"testing"

	"github.com/treewright/treewright/builder/distro"
)

// TestSourceFiles: the files that list sources for a machine's apt, without passwords.
func TestSourceFiles(t *testing.T) {
	const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"
	sources := []distro.Source{
		{Name: "main", URL: "http://deb.debian.org/debian", Suite: "trixie", Components: []string{"main"}, Keyring: keyring},
		{Name: "security", URL: "http://deb.debian.org/debian-security", Suite: "trixie-security", Components: []string{"main", "contrib"}, Keyring: keyring},
		{Name: "vendor", URL: "https://user:secret@vendor.example.org/apt", Suite: "a", Components: []string{"main"}, Keyring: "/etc/apt/keyrings/vendor.asc", CA: "/etc/apt/keyrings/vendor.pem", Packages: []string{"vendor-*", "tool"}},
		{Name: "vendor", URL: "https://user:secret@vendor.example.org/apt", Suite: "b", Components: []string{"main"}, Keyring: "/etc/apt/keyrings/vendor.asc", Packages: []string{"vendor-*", "tool"}},
		{Name: "next", URL: "http://deb.debian.org/debian", Suite: "forky", Components: []string{"main"}, Keyring: keyring, Priority: 50, Architectures: []string{"amd64"}},
		{Name: "flat", URL: "file:///srv", Suite: "./", Keyring: "/etc/apt/keyrings/flat.gpg", Packages: []string{"ours"}, Priority: 1001},
	}
	want := map[string]string{
		"/etc/apt/sources.list.d/debian-security.sources": "Types: deb\nURIs: http://deb.debian.org/debian-security\nSuites: trixie-security\nComponents: main contrib\nSigned-By: " + keyring + "\n",
		"/etc/apt/sources.list.d/vendor.sources":          "Types: deb\nURIs: https://vendor.example.org/apt\nSuites: a b\nComponents: main\nSigned-By: /etc/apt/keyrings/vendor.asc\n",
		"/etc/apt/sources.list.d/next.sources":            "Types: deb\nURIs: http://deb.debian.org/debian\nSuites: forky\nComponents: main\nArchitectures: amd64\nSigned-By: " + keyring + "\n",
		"/etc/apt/sources.list.d/flat.sources":            "Types: deb\nURIs: file:///srv\nSuites: ./\nSigned-By: /etc/apt/keyrings/flat.gpg\n",
		"/etc/apt/apt.conf.d/60sources":                   "Acquire::https::vendor.example.org::CaInfo \"/etc/apt/keyrings/vendor.pem\";\n",
		"/etc/apt/preferences.d/sources": `Package: *
Pin: origin "vendor.example.org"
Pin-Priority: -1

Package: vendor-* tool
Pin: origin "vendor.example.org"
Pin-Priority: 990

Package: *
Pin: release a=forky
Pin-Priority: 50

Package: *
Pin: release n=forky
Pin-Priority: 50

Package: *
Pin: origin ""
Pin-Priority: -1

Package: ours
Pin: origin ""
Pin-Priority: 1001

`,
	}
	got := Family{}.SourceFiles(sources)
	for name, text := range want {
		if got[name] != text {
			t.Errorf("%s:\n%s\nwant\n%s", name, got[name], text)
		}
	}
	if len(got) != len(want) {
		t.Errorf("files %v", got)
	}
	if got := (Family{}).SourceFiles(sources[:1]); len(got) != 0 {
		t.Errorf("of the main source alone: %v", got)
	}
}
