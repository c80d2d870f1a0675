package debian

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/treetest"
)

// versions are in order.
var versions = []string{
	"0~~", "0~", "0", "0.1", "1~rc1-1", "1-1", "1-1+b1", "1-1+b2", "1-1.1", "1-2", "1a-1", "1+b-1", "1.2", "1.10", "1.10-0.1",
	"2.06-13+deb12u1", "2.12-9", "2.12-9+deb13u1", "2.14~", "2.14~rc1-1", "2.14-1", "2.14-2", "2.14+dfsg-1", "1:0.1", "1:1-1", "2:0",
}

func TestCompareVersions(t *testing.T) {
	for i, a := range versions {
		for j, b := range versions {
			got := CompareVersions(a, b)
			if want := min(1, max(-1, i-j)); got != want {
				t.Errorf("%s and %s: %d, want %d", a, b, got, want)
			}
		}
	}
	for _, same := range [][2]string{{"1.0", "1.00"}, {"0:1", "1"}, {"1-0", "1"}} {
		if CompareVersions(same[0], same[1]) != 0 {
			t.Errorf("%s and %s are not the same", same[0], same[1])
		}
	}
}

// TestCompareVersionsAsDpkg asks dpkg the same.
func TestCompareVersionsAsDpkg(t *testing.T) {
	if _, err := exec.LookPath("dpkg"); err != nil {
		treetest.Skip(t, "needs dpkg, which is not installed")
	}
	for i, a := range versions[1:] {
		if err := exec.Command("dpkg", "--compare-versions", versions[i], "lt", a).Run(); err != nil {
			t.Errorf("dpkg does not have %s before %s: %v", versions[i], a, err)
		}
	}
}

func TestElsewhere(t *testing.T) {
	for version, want := range map[string]string{"2.06-13+deb12u1": "testing", "2.12-9": "testing", "2.14~rc1-1": "", "2.14-2": "", "2.16-1": ""} {
		resolved := []distro.Package{{Name: "dosfstools", Version: "4.2-1"}, {Name: "grub-common", Version: version}}
		if got := (Family{}).Elsewhere(distro.ForBootLoader, resolved); got != want {
			t.Errorf("GRUB %s: the suite %q, want %q", version, got, want)
		}
		if got := (Family{}).Elsewhere(distro.ForImage, resolved); got != "" {
			t.Errorf("GRUB %s: the tools for images are from %q", version, got)
		}
	}
}

func TestLacks(t *testing.T) {
	old := []distro.Package{{Name: "ostree", Version: "2022.7-2"}, {Name: "e2fsprogs", Version: "1.47.2-3+b12"}}
	new := []distro.Package{{Name: "ostree", Version: "2024.6-1"}, {Name: "e2fsprogs", Version: "1.47.1~rc2-1"}}
	for _, c := range []struct {
		purpose  distro.Purpose
		suite    string
		resolved []distro.Package
		want     string
	}{
		{distro.ForImage, "oldstable", old, "its ostree 2022.7-2 cannot make a deployment's file system with given times (2024.6 and newer can do it)"},
		// What was resolved counts, not the name.
		{distro.ForImage, "bookworm", new, ""},
		{distro.ForImage, "trixie", nil, ""},
		{distro.ForCommit, "oldstable", old, ""},
		{distro.ForCommit, "bookworm", nil, ""},
		{distro.ForExtension, "bookworm", nil, ""},
	} {
		if got := (Family{}).Lacks(c.purpose, c.suite, c.resolved); got != c.want {
			t.Errorf("%s of %s: %q, want %q", c.purpose, c.suite, got, c.want)
		}
	}
	if got := (Family{}).Lacks(distro.ForImage, "bookworm", nil); !strings.Contains(got, "ostree 2022.7") || !strings.Contains(got, "e2fsprogs 1.47.0") {
		t.Errorf("bookworm lacks %q", got)
	}
}

// TestDataHasNoPrograms: what is data to tools is among them where they are native.
func TestDataHasNoPrograms(t *testing.T) {
	for arch, want := range map[string]string{"amd64": "grub-efi-amd64-bin", "arm64": "grub-efi-arm64-bin"} {
		data := Family{}.Data(arch)
		if len(data) != 1 || data[0].Name != want || !slices.Contains(Family{}.Tools(distro.ForBootLoader, arch), data[0]) {
			t.Errorf("%s: %v", arch, data)
		}
		if e := (Family{}).Emulators(arch); len(e) != 2 || e[0].Package != "qemu-user-static" || !strings.HasPrefix(e[0].Name, e[1].Name) {
			t.Errorf("%s: emulators %v", arch, e)
		}
		if len((Family{}).Tools(distro.ForMachines, arch)) == 0 {
			t.Errorf("no machines for %s", arch)
		}
	}
}
