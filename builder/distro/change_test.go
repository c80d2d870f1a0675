package distro

import (
	"slices"
	"strings"
	"testing"
)

// listed reads packages, "NAME VERSION ARCH" each.
func listed(lines ...string) []Package {
	var packages []Package
	for _, line := range lines {
		f := strings.Fields(line)
		packages = append(packages, Package{f[0], f[1], f[2]})
	}
	return packages
}

func TestChanges(t *testing.T) {
	before := listed("gone 1 amd64", "new-version 1 amd64", "other-arch 1 all", "same 1 all", "two 1 amd64")
	after := listed("added 1 all", "new-version 2 amd64", "other-arch 1 amd64", "same 1 all", "two 1 amd64", "two 1 i386")
	var got []string
	for _, c := range Changes(before, after) {
		got = append(got, c.String())
	}
	want := []string{
		"installed added 1 (all)", "removed gone 1 (amd64)", "replaced new-version 1 (amd64) by 2 (amd64)",
		"replaced other-arch 1 (all) by 1 (amd64)", "installed two 1 (i386)",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
