package shape

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/treewright/treewright/builder/treefs"
	"github.com/treewright/treewright/builder/treetest"
)

// me is the owner of what a test makes, as a rule names it in a tree whose
// accounts are those of accounts.
func me() string {
	if os.Getuid() == 0 {
		return "root root"
	}
	return treefs.OwnerName(nil, uint32(os.Getuid())) + " " + treefs.OwnerName(nil, uint32(os.Getgid()))
}

func accounts(t *testing.T, tree string) string {
	t.Helper()
	treetest.Lay(t, tree, "etc/")
	for file, text := range map[string]string{
		"etc/passwd": "root:x:0:0:root:/root:/bin/bash\ntoor:x:0:0::/:/bin/sh\nman:x:6:12::/:/x\nbroken\nodd:x:nine:1:\n",
		"etc/group":  "root:x:0:\nman:x:12:\nmail:x:8:\n",
	} {
		if err := os.WriteFile(filepath.Join(tree, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return tree
}

func TestRelocate(t *testing.T) {
	moved := ""
	move := func(from, to string) error { moved += from + ">" + to + " "; return nil }
	for name, tc := range map[string]struct {
		tree    []string
		content string
		moved   string
		fails   bool
	}{
		"missing":      {nil, "var/home", "", false},
		"a link":       {[]string{"home -> elsewhere"}, "var/home", "", false},
		"empty mount":  {[]string{"home/"}, "", "", false},
		"filled mount": {[]string{"home/x"}, "", "", true},
	} {
		tree := treetest.Lay(t, t.TempDir(), tc.tree...)
		moved = ""
		err := relocate(tree, "home", "var/home", tc.content, move)
		if (err != nil) != tc.fails || moved != tc.moved {
			t.Errorf("%s: error %v, moved %q", name, err, moved)
		}
		if target, _ := os.Readlink(filepath.Join(tree, "home")); !tc.fails && target != "var/home" {
			t.Errorf("%s: the link leads to %q", name, target)
		}
	}
	// A directory with content is moved, and what cannot be moved is an error.
	tree := treetest.Lay(t, t.TempDir(), "home/x")
	err := relocate(tree, "home", "var/home", "var/home", func(from, to string) error {
		moved = from + ">" + to
		return os.RemoveAll(filepath.Join(tree, from))
	})
	if err != nil || moved != "home>var/home" {
		t.Errorf("error %v, moved %q", err, moved)
	}
	broken := errors.New("no space")
	if err := relocate(treetest.Lay(t, t.TempDir(), "home/x"), "home", "var/home", "var/home", func(string, string) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}
