package debian

import (
	"strings"
	"testing"
)

const statusText = `Package: libc6
Status: install ok installed
Priority: optional
Architecture: amd64
Multi-Arch: same
Source: glibc
Version: 2.43-7
Depends: libgcc-s1,
 libcrypt1
Conffiles:
 /etc/ld.so.conf.d/x86_64-linux-gnu.conf d4e7a7b88a71b5ffd9e2644e71a0cfab
Description: GNU C Library
 More text.

Package: gone
Status: deinstall ok config-files
Architecture: all
Version: 1

Package: epoch
Status: hold ok installed
Architecture: all
Version: 2:1.0-1
Description: one
`

// Installed packages are described like packages of an archive, with only the fields that the solver reads.
func TestArchivedOfStatus(t *testing.T) {
	all, err := database{}.Archived(statusText)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 2 || all[0].Name != "epoch" || all[1].Package.String() != "libc6 2.43-7 amd64" {
		t.Fatalf("got %v", all)
	}
	stanza := all[1].Stanza
	for _, want := range []string{"Depends: libgcc-s1,\n libcrypt1\n", "Multi-Arch: same\n", "Filename: local/libc6_2.43-7_amd64.deb\n", "Description: GNU C Library\n More text.\n"} {
		if !strings.Contains(stanza, want) {
			t.Errorf("%q is missing in\n%s", want, stanza)
		}
	}
	for _, other := range []string{"Status:", "Conffiles", "/etc/ld.so.conf.d"} {
		if strings.Contains(stanza, other) {
			t.Errorf("%q is in\n%s", other, stanza)
		}
	}
	if all[0].SHA256 == all[1].SHA256 || !isLocal(all[0]) {
		t.Error("packages cannot be told apart, or are not local")
	}
}
