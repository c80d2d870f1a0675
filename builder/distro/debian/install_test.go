package debian

import (
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/distro"
)

// What scripts had installed before stays; what an installation brings is what
// was resolved.
func TestCompare(t *testing.T) {
	for name, tc := range map[string]struct{ before, have, want, faults, stayed string }{
		"in another order":    {"", "a 1,b 1", "b 1,a 1", "", ""},
		"in another version":  {"", "a 2,b 1", "a 1,b 1", "a 1 was resolved but is not installed; a 2 is installed but was not resolved", ""},
		"as resolved":         {"a 1", "a 1,b 1", "a 1,b 1", "", ""},
		"a script's own":      {"a 1,loctool 1", "a 1,b 1,loctool 1", "a 1,b 1", "", ""},
		"another version":     {"a 1,b 0.9", "a 1,b 0.9", "a 1,b 1", "", "b 0.9 was in the tree before, and stays in place of 1, which was resolved"},
		"replaced as wanted":  {"a 1,b 0.9", "a 1,b 1", "a 1,b 1", "", ""},
		"new and unresolved":  {"a 1", "a 1,b 1,c 1", "a 1,b 1", "c 1 is installed but was not resolved", ""},
		"missing":             {"a 1", "a 1", "a 1,b 1", "b 1 was resolved but is not installed", ""},
		"removed on the way":  {"a 1,b 1", "a 1", "a 1,b 1", "b 1 was resolved but is not installed", ""},
		"new in a third":      {"a 1,b 0.9", "a 1,b 2", "a 1,b 1", "b 1 was resolved but is not installed; b 2 is installed but was not resolved", ""},
		"two architectures":   {"a 1,a 1:i386", "a 1,a 1:i386", "a 1", "", ""},
		"other architecture":  {"a 0.9:i386", "a 1:amd64,a 0.9:i386", "a 1:amd64,a 1:i386", "", "a 0.9 was in the tree before, and stays in place of 1, which was resolved"},
		"one of two is there": {"", "a 1", "a 1,a 1:i386", "a 1 was resolved but is not installed", ""},
		"new architecture":    {"a 1", "a 1,a 1:i386", "a 1", "a 1 is installed but was not resolved", ""},
	} {
		list := func(s string) []distro.Package {
			var packages []distro.Package
			for p := range strings.SplitSeq(s, ",") {
				p, arch, _ := strings.Cut(p, ":")
				if name, version, ok := strings.Cut(p, " "); ok {
					packages = append(packages, distro.Package{Name: name, Version: version, Arch: arch})
				}
			}
			return packages
		}
		faults, stayed := compare(list(tc.before), list(tc.have), list(tc.want), nil)
		if got := strings.Join(faults, "; "); got != tc.faults {
			t.Errorf("%s: faults %q, want %q", name, got, tc.faults)
		}
		if got := strings.Join(stayed, "; "); got != tc.stayed {
			t.Errorf("%s: stayed %q, want %q", name, got, tc.stayed)
		}
		// An installation above that one does not warn of it again.
		if faults, stayed := compare(list(tc.have), list(tc.have), list(tc.want), list(tc.want)); tc.faults == "" && len(faults)+len(stayed) > 0 {
			t.Errorf("%s: later: faults %q, stayed %q", name, faults, stayed)
		}
	}
}

func TestLacking(t *testing.T) {
	have := []distro.Package{{Name: "a", Version: "2", Arch: "amd64"}, {Name: "b", Version: "1", Arch: "all"}, {Name: "c", Version: "1", Arch: "i386"}}
	want := []distro.Package{
		{Name: "a", Version: "1", Arch: "amd64"}, {Name: "a", Version: "1", Arch: "i386"}, {Name: "b", Version: "1", Arch: "amd64"},
		{Name: "c", Version: "1", Arch: "amd64"}, {Name: "d", Version: "1", Arch: "all"},
	}
	if got := strings.Join(lacking(have, want, "amd64"), " "); got != "a:i386 c d" {
		t.Errorf("lacking %q", got)
	}
}
