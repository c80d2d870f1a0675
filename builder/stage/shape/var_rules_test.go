package shape

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/stage/machine"
	"github.com/treewright/treewright/builder/stage/origin"
	"github.com/treewright/treewright/builder/treetest"
)

// varTree is a tree with a /var that features have filled.
type varTree struct {
	tree string
	from *origin.Origins
	said []string
}

// newVarTree lays entries; those below var/ are taken for features'.
func newVarTree(t *testing.T, entries ...string) *varTree {
	t.Helper()
	v := &varTree{tree: accounts(t, t.TempDir()), from: &origin.Origins{Brought: map[string]bool{}, Scripted: map[string]bool{}}}
	treetest.Lay(t, v.tree, entries...)
	err := filepath.WalkDir(filepath.Join(v.tree, "var"), func(p string, d fs.DirEntry, err error) error {
		if err == nil {
			v.from.Brought[strings.TrimPrefix(p, v.tree+"/")] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// write moves /var to the factory and makes the rules.
func (v *varTree) write(t *testing.T) {
	t.Helper()
	if err := v.try(); err != nil {
		t.Fatal(err)
	}
}

func (v *varTree) try() error {
	f := filepath.Join(v.tree, machine.Factory)
	if err := errors.Join(os.MkdirAll(filepath.Dir(f), 0o755), os.Rename(filepath.Join(v.tree, "var"), f)); err != nil {
		return err
	}
	return writeVarRules(v.tree, dpkg, v.from, func(format string, args ...any) { v.said = append(v.said, fmt.Sprintf(format, args...)) })
}

// lasting returns the rules for each boot, without the comment.
func (v *varTree) lasting(t *testing.T) string {
	t.Helper()
	head, rules, _ := strings.Cut(treetest.Content(t, filepath.Join(v.tree, "usr/lib/tmpfiles.d", machine.OwnRules)), "\n")
	if !strings.HasPrefix(head, "# ") {
		t.Errorf("the file begins with %q", head)
	}
	return rules
}

// once returns the rules for one boot of a path, without comments and without
// the one that hides them, "" if there are none.
func (v *varTree) once(t *testing.T, name string) string {
	t.Helper()
	file := firstRulesFile(name)
	text, err := os.ReadFile(filepath.Join(v.tree, "usr/lib/tmpfiles.d", file))
	if errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	rules, ok := strings.CutSuffix(string(text), "L "+masks+file+" - - - - /dev/null\n")
	if !ok {
		t.Errorf("%s does not hide itself:\n%s", name, text)
	}
	for strings.HasPrefix(rules, "#") {
		_, rules, _ = strings.Cut(rules, "\n")
	}
	return rules
}

func TestWriteVarRules(t *testing.T) {
	v := newVarTree(t, "var/lib/", "var/lib/thing/state@0640", "var/lib/link -> thing/state", "var/lib/100%/a b/", "var/lib/percent -> %i/x",
		"var/cache/app/deep/", "var/cache/app/kept", "var/log/app/@0750", "var/secret/@0700", "var/secret/in/key@0600", "var/lib/closed/@0710", "var/lib/closed/sub/file",
		"var/lib/suid", "var/top -> lib")
	for name, mode := range map[string]fs.FileMode{"var/mail": 0o775 | fs.ModeSetgid, "var/tmp": 0o777 | fs.ModeSticky, "var/lib/suid": 0o755 | fs.ModeSetuid} {
		if name != "var/lib/suid" {
			treetest.Lay(t, v.tree, name+"/")
		}
		if err := os.Chmod(filepath.Join(v.tree, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	v.write(t)
	owner := ":" + strings.ReplaceAll(me(), " ", " :")
	want := []string{
		"L /var/lib/dpkg - - - - ../../usr/lib/sysimage/dpkg",
		"L /var/top - - - - lib",
	}
	for _, d := range []string{"cache :0755", "cache/app :0755", "cache/app/deep :0755", "lib :0755", "log :0755", "log/app :0750", "mail :2775", "secret :0700", "tmp :1777"} {
		want = append(want, "d /var/"+d+" "+owner+" -")
	}
	if got := v.lasting(t); got != strings.Join(want, "\n")+"\n" {
		t.Errorf("rules for each boot\n%swant\n%s", got, strings.Join(want, "\n"))
	}
	closed := "d /var/lib/closed :0710 " + owner + " -\n"
	for name, want := range map[string]string{
		"/var/lib/thing":           "d /var/lib/thing :0755 " + owner + " -\n",
		"/var/lib/thing/state":     "C /var/lib/thing/state - - - -\n",
		"/var/lib/link":            "L /var/lib/link - - - - thing/state\n",
		"/var/lib/percent":         "L /var/lib/percent - - - - %%i/x\n",
		"/var/lib/100%/a b":        `d /var/lib/100%%/a\x20b :0755 ` + owner + " -\n",
		"/var/cache/app/kept":      "C /var/cache/app/kept - - - -\n",
		"/var/secret/in/key":       "C /var/secret/in/key - - - -\n",
		"/var/lib/closed":          closed,
		"/var/lib/closed/sub/file": closed + "C /var/lib/closed/sub/file - - - -\n",
		"/var/lib/suid":            "C /var/lib/suid - - - -\n",
		"/var/lib":                 "", "/var/log/app": "", "/var/top": "",
	} {
		if os.Getuid() != 0 && strings.HasPrefix(name, "/var/lib/") {
			continue // every directory has an owner of its own then
		}
		if got := v.once(t, name); got != want {
			t.Errorf("%s: rules\n%swant\n%s", name, got, want)
		}
	}
	// Only what is copied from there stays in the factory, closed to others.
	if mode := treetest.Mode(t, filepath.Join(v.tree, machine.Factory)); mode != "drwx------" {
		t.Errorf("the factory is %s", mode)
	}
	for name, want := range map[string]bool{"lib/thing/state": true, "lib/suid": true, "lib/link": false, "lib/100%": false, "mail": false, "secret/in/key": true} {
		if _, err := os.Lstat(filepath.Join(v.tree, machine.Factory, name)); (err == nil) != want {
			t.Errorf("%s in the factory: %v", name, err)
		}
	}
}

// No name makes a rule but its own.
func TestNamesInRules(t *testing.T) {
	for _, name := range []string{"it's", `a"b`, "a\nd evil 0777", `back\slash\x20`, "%m%%", " blank ", "\ttab", "\xff\xfe", ".hidden", "#", "-", "*?[a]", "ü", "\x1b[1m"} {
		v := newVarTree(t, "var/lib/")
		file, link := filepath.Join(v.tree, "var/lib", name), filepath.Join(v.tree, "var/lib/to")
		if err := errors.Join(os.WriteFile(file, nil, 0o644), os.Symlink(name, link)); err != nil {
			t.Fatal(err)
		}
		v.write(t)
		rules, err := readRules(v.tree)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range rules.all {
			if !strings.HasPrefix(r.Path, masks) && r.Path != "/var/lib/dpkg" {
				got = append(got, string(r.Type)+" "+r.Path+" "+r.Argument)
			}
		}
		slices.Sort(got)
		if want := []string{"C /var/lib/" + name + " ", "L /var/lib/to " + name, "d /var/lib "}; !slices.Equal(got, want) {
			t.Errorf("%q: rules %q, want %q", name, got, want)
		}
	}
}

func TestWriteVarRulesRefuses(t *testing.T) {
	v := newVarTree(t, "var/lib/")
	if err := syscall.Mkfifo(filepath.Join(v.tree, "var/lib/fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := v.try(); err == nil || !strings.Contains(err.Error(), "/var/lib/fifo is neither file, directory nor link") {
		t.Errorf("error %v", err)
	}
	if os.Getuid() != 0 {
		treetest.Skip(t, "needs root: it sets capabilities")
	}
	v = newVarTree(t, "var/lib/a", "var/lib/b")
	for _, name := range []string{"a", "b"} {
		// cap_net_raw+ep, revision 2.
		raw := []byte{1, 0, 0, 2, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
		if err := unix.Setxattr(filepath.Join(v.tree, "var/lib", name), "security.capability", raw, 0); err != nil {
			treetest.Skip(t, "needs a file system with capabilities: %v", err)
		}
	}
	if err := v.try(); err == nil || strings.Count(err.Error(), "has capabilities") != 2 || !strings.Contains(err.Error(), "/var/lib/a has") {
		t.Errorf("error %v", err)
	}
}

// systemd-tmpfiles refuses to go through a directory of one user's into one of
// another's.
func TestWriteVarRulesReach(t *testing.T) {
	if os.Getuid() != 0 {
		treetest.Skip(t, "needs root: it gives files away")
	}
	for name, tc := range map[string]struct {
		owners map[string]int
		faults int
	}{
		"all root's":         {nil, 0},
		"all one's":          {map[string]int{"": 6, "/css": 6, "/css/deep": 6}, 0},
		"root's in one's":    {map[string]int{"": 6}, 1},
		"another's in one's": {map[string]int{"": 6, "/css": 7, "/css/deep": 7}, 1},
		"twice":              {map[string]int{"": 6, "/css": 7}, 2},
		"one's in root's":    {map[string]int{"/css": 6, "/css/deep": 6}, 0},
		"the last one's":     {map[string]int{"/css/deep": 6}, 0},
	} {
		for _, featured := range []bool{true, false} {
			v := newVarTree(t, "var/srv/www/css/deep/x", "var/srv/www/css/y", "var/srv/www/z")
			for dir, uid := range tc.owners {
				if err := os.Chown(filepath.Join(v.tree, "var/srv/www"+dir), uid, 0); err != nil {
					t.Fatal(err)
				}
			}
			if !featured {
				v.from.Brought = map[string]bool{}
			}
			err := v.try()
			if got := len(v.said); !featured && (err != nil || got != tc.faults) {
				t.Errorf("%s, by packages: said %q, %v", name, v.said, err)
			}
			if featured && (len(v.said) > 0 || (err != nil) != (tc.faults > 0) || err != nil && strings.Count(err.Error(), "give both the same owner") != tc.faults) {
				t.Errorf("%s: error %v", name, err)
			}
		}
	}
}

// What costs space is said, and ACLs come along.
func TestWriteVarRulesExtras(t *testing.T) {
	v := newVarTree(t, "var/lib/one", "var/lib/hole", "var/lib/a*b", "var/log/app/")
	if err := os.Link(filepath.Join(v.tree, "var/lib/one"), filepath.Join(v.tree, "var/lib/two")); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(v.tree, "var/lib/hole"), 8<<20); err != nil {
		t.Fatal(err)
	}
	// user::rw-, user:man:rwx, group::r--, mask::rwx, other::r--
	acl := []byte{2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 7, 0, 6, 0, 0, 0, 4, 0, 4, 0, 255, 255, 255, 255, 16, 0, 7, 0, 255, 255, 255, 255, 32, 0, 4, 0, 255, 255, 255, 255}
	for file, attr := range map[string]string{"var/lib/a*b": "system.posix_acl_access", "var/log/app": "system.posix_acl_default"} {
		if err := unix.Setxattr(filepath.Join(v.tree, file), attr, acl, 0); err != nil {
			treetest.Skip(t, "needs a file system with ACLs: %v", err)
		}
	}
	v.write(t)
	said := strings.Join(v.said, "\n")
	if !strings.Contains(said, "/var/lib/one = /var/lib/two") || !strings.Contains(said, "holes in /var take their whole size on a machine: /var/lib/hole") || len(v.said) != 2 {
		t.Errorf("said\n%s", said)
	}
	const entries = "user::rw-,user:man:rwx,group::r--,mask::rwx,other::r--"
	if got := v.once(t, "/var/lib/a*b"); got != `C /var/lib/a\x2ab - - - -`+"\n"+`a /var/lib/a\x5c\x2ab - - - - `+entries+"\n" {
		t.Errorf("rules\n%s", got)
	}
	// A directory that is made at each boot gets its ACL once.
	want := "a /var/log/app - - - - default:" + strings.ReplaceAll(entries, ",", ",default:") + "\n"
	if got := v.once(t, "/var/log/app"); got != want || !strings.Contains(v.lasting(t), "d /var/log/app ") {
		t.Errorf("rules\n%s", got)
	}
	if _, err := (&varRules{}).aclText([]byte{1, 0, 0, 0}, ""); err == nil {
		t.Error("an ACL of version 1 is taken")
	}
}
