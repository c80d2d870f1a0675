package shape

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/treetest"
)

func TestRedirectRules(t *testing.T) {
	got := redirectRuleFile("# /root is mentioned\nd- /root :0700 root :root -\nf^ /root/.ssh/authorized_keys :0600 root :root - key\n" +
		"q /srv 0755 - - -\nd /rootless 0755\nd /usr/local/lib 0755\nd /media/x 0755\nd /var/x 0755 - - - /home\n" +
		"  d \"/srv/a b\" 0755\nd /opt/\\x22%m 0755\n")
	want := "# /root is mentioned\nd- /var/roothome :0700 root :root -\nf^ /var/roothome/.ssh/authorized_keys :0600 root :root - key\n" +
		"q /var/srv 0755 - - -\nd /rootless 0755\nd /var/usrlocal/lib 0755\nd /run/media/x 0755\nd /var/x 0755 - - - /home\n" +
		"  d /var/srv/a\\x20b 0755\nd /var/opt/\\x22%m 0755\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestRedirectRulesInPlace(t *testing.T) {
	tree := treetest.Lay(t, t.TempDir(), "etc/tmpfiles.d/mask.conf -> /dev/null")
	treetest.Write(t, filepath.Join(tree, "usr/lib/tmpfiles.d/a.conf"), "d /opt/x\n")
	treetest.Write(t, filepath.Join(tree, "etc/tmpfiles.d/b.conf"), "d /srv/x\n")
	if err := redirectRules(tree); err != nil {
		t.Fatal(err)
	}
	if a, b := treetest.Content(t, filepath.Join(tree, "usr/lib/tmpfiles.d/a.conf")), treetest.Content(t, filepath.Join(tree, "etc/tmpfiles.d/b.conf")); a != "d /var/opt/x\n" || b != "d /var/srv/x\n" {
		t.Errorf("the rules are %q and %q", a, b)
	}
}

// Each way in which a rule of the tree stands, or does not, for what a feature
// brings at the same path.
func TestStandingRules(t *testing.T) {
	const file, dir, link = "var/lib/x", "var/lib/x/", "var/lib/x -> there"
	for _, tc := range []struct {
		rule, entry string
		ours        string // "" nothing, "once", "always"
		warning     string
	}{
		{"f /var/lib/x 0644 root root - var/lib/x", file, "", ""},
		{"f /var/lib/x 0600 root root - var/lib/x", file, "once", ""},
		{"f /var/lib/x 0644 man root - var/lib/x", file, "once", ""},
		{"f /var/lib/x 0644 - - - other", file, "once", ""},
		{"f /var/lib/x 0644 - - - %m", file, "once", ""},
		{"f^ /var/lib/x 0644 root root - var/lib/x", file, "once", ""},
		{"f! /var/lib/x 0644 root root - var/lib/x", file, "once", ""},
		{"f$ /var/lib/x 0644 root root - var/lib/x", file, "", ""},
		{"f= /var/lib/x 0644 root root - var/lib/x", file, "", ""},
		{"f~ /var/lib/x 0644 root root - dmFyL2xpYi94", file, "once", ""},
		{"f+ /var/lib/x 0644 - - - other", file, "once", "writes it at each boot"},
		{"w /var/lib/x - - - - other", file, "once", "writes it at each boot"},
		{"r /var/lib/*", file, "once", "removes it at each boot"},
		{"R! /var/li?", file, "once", "removes it at each boot"},
		{"D /var/lib 0755 root root -", file, "once", "empties the directory"},
		{"C /var/lib - - - - /usr/share/x", file, "once", "copies only if nothing exists there"},
		{"z /var/lib/x 0600", file, "once", ""},
		{"L /var/lib/x - - - - elsewhere", file, "once", ""},
		{"d /var/lib/x/ 0755 root root -", dir, "", ""},
		{"d /var/lib/x", dir, "", ""},
		{"v %S/x 0755 0 0 -", dir, "", ""},
		{"d /var/lib/x 0700 root root -", dir, "always", ""},
		{"d^ /var/lib/x 0755 root root -", dir, "once", ""},
		{"e /var/lib/x 0755 root root -", dir, "once", ""},
		{"L /var/lib/x - - - - there", link, "", ""},
		{"L /var/lib/x - - - - ../lib/there", link, "", ""},
		{"L /var/lib/x - - - - /var/lib/there", link, "", ""},
		{"L? /var/lib/x - - - - there", link, "once", ""},
		{"L /var/lib/x - - - - elsewhere", link, "always", ""},
		{"L+ /var/lib/x - - - - elsewhere", link, "always", "writes it at each boot"},
		{"# f /var/lib/x 0644 root root - var/lib/x", file, "once", ""},
		{`f /var/lib/x\q 0644`, file, "once", ""},
	} {
		v := newVarTree(t, tc.entry)
		treetest.Write(t, filepath.Join(v.tree, "usr/lib/tmpfiles.d/pkg.conf"), tc.rule+"\n")
		v.write(t)
		once, lasting := v.once(t, "/var/lib/x"), v.lasting(t)
		ours := ""
		if once != "" {
			ours = "once"
		}
		if strings.Contains(lasting, " /var/lib/x ") {
			ours += "always"
		}
		if ours != tc.ours {
			t.Errorf("%s: ours is %q, want %q:\n%s%s", tc.rule, ours, tc.ours, once, lasting)
		}
		if said := strings.Join(v.said, "\n"); (tc.warning == "") != (said == "") || !strings.Contains(said, tc.warning) {
			t.Errorf("%s: said %q, want %q", tc.rule, said, tc.warning)
		}
	}
}

// Files that hide others of the same name take their rules away.
func TestHiddenRules(t *testing.T) {
	const rule = "f /var/lib/x 0644 root root - var/lib/x\n"
	for name, hide := range map[string]func(v *varTree){
		"a link to /dev/null": func(v *varTree) { treetest.Lay(t, v.tree, "etc/tmpfiles.d/pkg.conf -> /dev/null") },
		"an empty file":       func(v *varTree) { treetest.Write(t, filepath.Join(v.tree, "etc/tmpfiles.d/pkg.conf"), "") },
		"other rules":         func(v *varTree) { treetest.Write(t, filepath.Join(v.tree, "etc/tmpfiles.d/pkg.conf"), "d /var/y\n") },
		"a link to nowhere":   func(v *varTree) { treetest.Lay(t, v.tree, "etc/tmpfiles.d/pkg.conf -> /gone") },
	} {
		v := newVarTree(t, "var/lib/x")
		treetest.Write(t, filepath.Join(v.tree, "usr/lib/tmpfiles.d/pkg.conf"), rule)
		hide(v)
		if v.write(t); v.once(t, "/var/lib/x") == "" {
			t.Errorf("%s does not hide the rule", name)
		}
	}
	// A link to a file of the tree brings that file's rules.
	v := newVarTree(t, "var/lib/x", "etc/tmpfiles.d/pkg.conf -> /usr/share/rules")
	treetest.Write(t, filepath.Join(v.tree, "usr/share/rules"), rule)
	if v.write(t); v.once(t, "/var/lib/x") != "" {
		t.Error("the rules through a link are not read")
	}
}

// What packages made and have a rule for is left to the rule.
func TestPackagesRules(t *testing.T) {
	v := newVarTree(t, "var/lib/x/@0700", "var/lib/y -> here")
	v.from.Brought = map[string]bool{}
	treetest.Write(t, filepath.Join(v.tree, "usr/lib/tmpfiles.d/pkg.conf"), "d /var/lib/x 0755\nL /var/lib/y - - - - there\n")
	v.write(t)
	if v.once(t, "/var/lib/x")+v.once(t, "/var/lib/y") != "" || strings.Contains(v.lasting(t), "/var/lib/x ") || strings.Contains(v.lasting(t), "/var/lib/y ") {
		t.Errorf("there are rules beside the package's: %s", v.lasting(t))
	}
}
