package build_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/treetest"
)

// authority is a certificate whose key was thrown away.
const authority = `-----BEGIN CERTIFICATE-----
MIIBgTCCASegAwIBAgIUKwcrkU3rfKxDhIWAVnFpRswTSe4wCgYIKoZIzj0EAwIw
FTETMBEGA1UEAwwKRXhhbXBsZSBDQTAgFw0yNjExMjYxNjIwMDFaGA8yMTI2MTEw
MjE2MjAwMVowFTETMBEGA1UEAwwKRXhhbXBsZSBDQTBZMBMGByqGSM49AgEGCCqG
SM49AwEHA0IABN01yQVzL9I8hUfDAf+bYOphrV2B7ZvHsy5Gp4K0q12KisSKZTdd
rTQ9+rJydqaWidwXBPh+Vls+GGbZrrg+QbmjUzBRMB0GA1UdDgQWBBQK05ydXPMv
MMCLEg2Ht9nodM6l/jAfBgNVHSMEGDAWgBQK05ydXPMvMMCLEg2Ht9nodM6l/jAP
BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCICQPYEif3i6iP36fVYD6
FKq3oXgAa/FD6ZVHsY/Mo4XAAiEArjj+DRE51P4TaK4WLbtHm1RxnerqO35MIGfu
WQsYIGc=
-----END CERTIFICATE-----
`

// TestMachineBelievesAuthorities: with the source that a machine knows it gets the
// authority of the source's host, if it asks that by https.
func TestMachineBelievesAuthorities(t *testing.T) {
	tree := small(t)
	key, err := os.ReadFile("../../examples/vendor/keys/vendor.asc")
	if err != nil {
		t.Fatal(err)
	}
	treetest.WriteAll(t, tree, map[string]string{"keys/vendor.asc": string(key), "keys/ca.crt": authority})
	source := func(name, urls, more string) string {
		return "    source \"" + name + "\" {\n      urls = [" + urls + "]\n      suites = [\"trixie\"]\n      keyring = \"keys/vendor.asc\"\n      ca = \"keys/ca.crt\"\n" + more + "    }\n"
	}
	treetest.Write(t, filepath.Join(tree, "flavours/ca.hcl"), "flavour \"ca\" {\n  extends = \"small\"\n  distribution {\n    mirror = \"https://main.example.org/debian\"\n    ca = \"keys/ca.crt\"\n"+
		source("vendor", `"file:///srv", "https://vendor.example.org"`, "      on_machine = true\n")+
		source("plain", `"http://plain.example.org", "https://other.example.org"`, "      on_machine = true\n")+
		source("build", `"https://build.example.org"`, "")+"  }\n}\n")
	_, p, err := lending(t, tree, "ca", build.Options{Cache: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	step := p.Graph.Step("rootfs/sources")
	if step == nil {
		t.Fatal("no step writes the machine's list of sources")
	}
	dir := step.Sources[0].Path
	for file, want := range map[string]string{
		"apt.conf.d/60sources": "Acquire::https::main.example.org::CaInfo \"/etc/apt/keyrings/main.pem\";\nAcquire::https::vendor.example.org::CaInfo \"/etc/apt/keyrings/vendor.pem\";\n",
		"keyrings/main.pem":    authority, "keyrings/vendor.pem": authority, "keyrings/plain.pem": "", "keyrings/build.pem": "",
	} {
		got, err := os.ReadFile(filepath.Join(dir, "etc/apt", file))
		if string(got) != want || want != "" && err != nil {
			t.Errorf("%s: %q, error %v", file, got, err)
		}
	}
	if found := treetest.Listing(t, dir); strings.Count(strings.Join(found, "\n"), ".pem") != 2 {
		t.Errorf("the machine gets %q", found)
	}
}
