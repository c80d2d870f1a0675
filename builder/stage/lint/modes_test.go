package lint

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/stage/machine"
	"github.com/treewright/treewright/builder/treetest"
)

func TestModeLint(t *testing.T) {
	for _, tc := range []struct {
		name     string
		mode     fs.FileMode
		uid, gid uint32
		want     string
	}{
		{"/etc", fs.ModeDir | 0o777, 0, 0, "/etc has the mode 0777: everybody may write to it"},
		{"/etc/x", 0o666, 0, 0, "/etc/x has the mode 0666: everybody may write to it"},
		{"/usr/lib/x", fs.ModeDir | fs.ModeSticky | 0o777, 0, 0, ""},
		{"/usr/lib/x", fs.ModeSymlink | 0o777, 0, 0, ""},
		{"/var/lib/open", fs.ModeDir | 0o777, 0, 0, "warning: /var/lib/open has the mode 0777: everybody may write to it"},
		{"/etc/issue", 0o644, 4242, 0, "/etc/issue belongs to 4242, which is not an account; a later account could get that number"},
		{"/etc/issue", fs.ModeSymlink | 0o777, 0, 4242, "/etc/issue belongs to the group 4242, which is not a group; a later group could get that number"},
		{"/etc/shadow", 0o640, 0, 42, ""},
		{"/etc/shadow", 0o640, 0, 7, "/etc/shadow has the mode 0640 and the group 7: it may have 0600 at the most"},
		{"/etc/gshadow", 0o644, 0, 42, "/etc/gshadow has the mode 0644 and the group 42: it may have 0640 at the most"},
		{"/etc/passwd", 0o664, 0, 0, "/etc/passwd has the mode 0664 and the group 0: it may have 0755 at the most"},
		{"/etc/sudoers", 0o440, 7, 0, "/etc/sudoers belongs to 7, not to root"},
		{"/etc/sudoers.d/x", 0o460, 0, 0, "/etc/sudoers.d/x has the mode 0460 and the group 0: it may have 0755 at the most"},
	} {
		l := modeLint{users: map[uint32]string{0: "root", 7: "x"}, groups: map[uint32]string{0: "root", 42: "shadow", 7: "x"}}
		l.look(tc.name, tc.mode, tc.uid, tc.gid)
		var got []string
		say := func(format string, args ...any) { got = append(got, fmt.Sprintf(format, args...)) }
		for _, list := range [][]string{l.open, l.stray, l.key} {
			tell(list, say)
		}
		tell(l.varOpen, func(format string, args ...any) { say("warning: "+format, args...) })
		if text := strings.Join(got, "\n"); text != tc.want {
			t.Errorf("%s %v: %q, want %q", tc.name, tc.mode, text, tc.want)
		}
	}
	n := 0
	tell(make([]string, 30), func(string, ...any) { n++ })
	if n != mostListed+1 {
		t.Errorf("%d lines of 30", n)
	}
}

// A tree that a script left open is a fault, with all that is wrong.
func TestLintOpenTree(t *testing.T) {
	tree := goodTree(t)
	for name, mode := range map[string]fs.FileMode{"usr/etc": 0o777, "usr/lib/os-release": 0o666} {
		if err := os.Chmod(filepath.Join(tree, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	l := modeLint{users: map[uint32]string{0: "root"}, groups: map[uint32]string{0: "root"}}
	treetest.Write(t, filepath.Join(tree, "usr/lib/tmpfiles.d", machine.OwnRules), "d /var/lib/open :0777 4242 :root - -\nd /var/tmp 1777 root root - -\n")
	if err := l.rules(tree); err != nil || len(l.stray) != 1 || !strings.HasPrefix(l.stray[0], "/var/lib/open belongs to 4242") {
		t.Errorf("%q, %v", l.stray, err)
	}
	var warned []string
	err := Tree(tree, dpkg, nil, func(format string, args ...any) { warned = append(warned, fmt.Sprintf(format, args...)) })
	for _, want := range []string{"/etc has the mode 0777", "/usr/lib/os-release has the mode 0666"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if len(warned) != 1 || !strings.HasPrefix(warned[0], "/var/lib/open has the mode 0777") {
		t.Errorf("%q", warned)
	}
}

func TestNoAccount(t *testing.T) {
	tree := t.TempDir()
	treetest.Write(t, filepath.Join(tree, "etc/passwd"), "root:x:0:0::/root:/bin/sh\n")
	treetest.Write(t, filepath.Join(tree, "etc/group"), "root:x:0:\n")
	for owner, want := range map[string]string{
		"root root": "", "4242 +7": "", "anna root": `the tree has no user "anna"`, "root mail": `the tree has no group "mail"`,
	} {
		user, group, _ := strings.Cut(owner, " ")
		if got := machine.NoAccount(tree, user, group); got != want {
			t.Errorf("%s: %q, want %q", owner, got, want)
		}
	}
}
