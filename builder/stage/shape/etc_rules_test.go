package shape

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/treewright/treewright/builder/stage/origin"
	"github.com/treewright/treewright/builder/treetest"
)

// TestEtcRules: what a rule does to a feature's file in /etc is said; what
// leaves the file as it is, and files of packages, are not.
func TestEtcRules(t *testing.T) {
	tree := t.TempDir()
	treetest.Write(t, filepath.Join(tree, "usr/lib/tmpfiles.d/debian.conf"), `L+ /etc/mtab - - - - ../proc/self/mounts
L+ /etc/vconsole.conf - - - - default/keyboard
L+ /etc/package.conf - - - - elsewhere
L /etc/kept - - - - elsewhere
C! /etc/pam.d - - - -
r /etc/gone*
f+ /etc/written - - - - text
f+^ /etc/credential - - - - some.name
`)
	treetest.Write(t, filepath.Join(tree, "etc/tmpfiles.d/own.conf"), "F /etc/forced - - - - text\n")
	from := &origin.Origins{Brought: map[string]bool{}, Scripted: map[string]bool{}}
	for _, name := range []string{"vconsole.conf", "kept", "pam.d/sshd", "gone1", "written", "credential", "forced"} {
		treetest.Write(t, filepath.Join(tree, "etc", name), "mine\n")
		from.Brought["etc/"+name] = true
	}
	treetest.Write(t, filepath.Join(tree, "etc/package.conf"), "")
	if err := os.Symlink("../proc/self/mounts", filepath.Join(tree, "etc/mtab")); err != nil {
		t.Fatal(err)
	}
	from.Scripted["etc/mtab"], from.Scripted["etc/pam.d"], from.Brought["etc/removed"] = true, true, true

	var got []string
	if err := warnOfEtcRules(tree, from, func(f string, args ...any) { got = append(got, fmt.Sprintf(f, args...)) }); err != nil {
		t.Fatal(err)
	}
	want := []string{
		`/etc/forced comes from a feature, but the rule "F /etc/forced - - - - text" in own.conf writes it at each boot`,
		`/etc/gone1 comes from a feature, but the rule "r /etc/gone*" in debian.conf removes it at each boot`,
		`/etc/vconsole.conf comes from a feature, but the rule "L+ /etc/vconsole.conf - - - - default/keyboard" in debian.conf writes it at each boot`,
		`/etc/written comes from a feature, but the rule "f+ /etc/written - - - - text" in debian.conf writes it at each boot`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}
