package debian

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/treetest"
)

const someStatus = `Package: a
Status: install ok installed
Architecture: amd64
Version: 1

Package: held
Status: hold ok installed
Description: x
 Status: install ok unpacked
Architecture: all
Version: 2:3-4

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1

Package: half
Status: install ok half-configured
Architecture: amd64
Version: 5

Package: waits
Status: install ok triggers-awaited
Architecture: amd64
Version: 6
`

func TestStatus(t *testing.T) {
	s := Family{}.Database().ReadState(someStatus)
	if got, want := s.Installed, []distro.Package{{Name: "a", Version: "1", Arch: "amd64"}, {Name: "held", Version: "2:3-4", Arch: "all"}}; !slices.Equal(got, want) {
		t.Errorf("installed: %q, want %q", got, want)
	}
	if got, want := s.Unfinished, []string{"half 5 amd64: half-configured", "waits 6 amd64: triggers-awaited"}; !slices.Equal(got, want) {
		t.Errorf("unfinished: %q, want %q", got, want)
	}
}

func TestDatabase(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"info/a.list":          "/.\n/usr/bin/a\n/etc/both\n",
		"info/b:amd64.list":    "/etc/both\n/usr/bin/a2",
		"info/a.postinst":      "make /etc/key",
		"info/c.preinst":       "make /etc/key",
		"info/a.md5sums":       "0cc175b9c0f1b6a831c399e269772661  usr/bin/a\n",
		"info/b:amd64.md5sums": "92eb5ffee6ae2fec3ad71c777531578f  usr/bin/b\n",
		"status":               "Package: a\nConffiles:\n /etc/both 4a8a08f09d37b73795649038408b5f33\n",
	} {
		treetest.Write(t, filepath.Join(dir, name), text)
	}
	db := Family{}.Database()
	for file, want := range map[string][]string{"/usr/bin/a": {"a"}, "/etc/both": {"a", "b"}, "/usr/bin/a2": {"b"}, "/usr/bin": nil} {
		if got := db.Owners(dir, file); !slices.Equal(got, want) {
			t.Errorf("%s is of %q, want %q", file, got, want)
		}
	}
	if got := db.Makers(dir, func(script string) bool { return strings.HasSuffix(script, "/etc/key") }); !slices.Equal(got, []string{"a"}) {
		t.Errorf("made by %q", got)
	}
	is, err := db.Shipped(dir)
	if err != nil {
		t.Fatal(err)
	}
	for content, want := range map[string]bool{"a": true, "b": true, "c": true, "d": false} {
		if is([]byte(content)) != want {
			t.Errorf("%q is shipped: %v", content, !want)
		}
	}
}
