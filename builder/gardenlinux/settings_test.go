package gardenlinux

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/distro/debian"
	"github.com/treewright/treewright/builder/rules"
	"github.com/treewright/treewright/builder/source"
	"github.com/treewright/treewright/builder/stage/planner"
	"github.com/treewright/treewright/builder/treefs"
	"github.com/treewright/treewright/builder/treetest"
)

// TestMirrorHasNoPassword: its address goes into the system.
func TestMirrorHasNoPassword(t *testing.T) {
	tree := t.TempDir()
	for name, content := range map[string]string{"features/kvm/info.yaml": "description: a platform\ntype: platform\n", "features/kvm/image.raw": "#!/bin/sh\n", "k.gpg": ""} {
		path := filepath.Join(tree, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	r := &Rules{Options: Options{Mirror: "http://user:secret@mirror/debian/", Keyring: filepath.Join(tree, "k.gpg")}, Place: rules.Place{Tree: treefs.New(tree), Dir: tree, Distro: debian.Family{}}}
	p, diags := r.Load()
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	s, err := r.Resolve(t.Context(), p, "kvm-amd64-testing")
	if err != nil {
		t.Fatal(err)
	}
	planner := &planner.Planner{Request: planner.Request{Distro: debian.Family{}, Spec: s.Spec, Sources: source.Snapshots{Root: t.TempDir()}}}
	id, err := s.Method.Prepared(planner, "")
	if err != nil {
		t.Fatal(err)
	}
	if params := string(planner.Graph.Step(id).Params); !strings.Contains(params, `"http://mirror/debian"`) {
		t.Errorf("the system's sources are %s", params)
	}
	if got := s.Spec.Flavour.Distribution.Mirror; got != "http://user:secret@mirror/debian" {
		t.Errorf("packages are fetched from %s", got)
	}
}

// TestTreesProgramsReachNothing has a tree whose programs want to reach this
// machine, and that must still know its own files.
func TestTreesProgramsReachNothing(t *testing.T) {
	if testing.Short() {
		treetest.Skip(t, "needs four seconds, until a program without an end is ended: run it without -short")
	}
	tree, host := t.TempDir(), t.TempDir()
	// Of the directories above the tree the way to it is seen, and nothing else.
	way := strings.ReplaceAll(tree, "/", "|")
	t.Setenv("SECRET_OF_THE_HOST", "of-the-host")
	secret := filepath.Join(host, "secret")
	for path, content := range map[string]string{
		secret: "of-the-host", filepath.Join(tree, "own"): "of-the-tree", filepath.Join(tree, ".cache/secret"): "of-the-host",
		filepath.Join(tree, "get_version"): `#!/bin/bash
{ touch "$1" made ` + host + `/made /usr/made; } 2>/dev/null && echo -n wrote-
exec 2>/dev/null
cat own ` + secret + ` .cache/secret /etc/shadow /proc/1/root` + secret + `
cat /proc/[0-9]*/environ | grep -a -o of-the-host
echo -n "$SECRET_OF_THE_HOST"; ls /home /root ` + filepath.Dir(tree) + ` | grep -vxE '/.*:||` + way + `'; exit 0
`,
		filepath.Join(tree, "get_commit"): "#!/bin/sh\nsleep 1000\n",
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	s := &treeSettings{dir: tree, hidden: []string{filepath.Join(tree, ".cache"), filepath.Join(tree, ".build")}}
	v, err := s.version(t.Context())
	if err != nil || v != "of-the-tree" {
		t.Errorf("the version is %q, error %v", v, err)
	}
	for _, made := range []string{filepath.Join(tree, "made"), filepath.Join(host, "made"), "/usr/made"} {
		if os.Remove(made) == nil {
			t.Errorf("%s was made", made)
		}
	}
	if _, err := s.ask(t.Context(), "get_commit", ""); err == nil || !strings.Contains(err.Error(), "get_commit: ./get_commit: not done after") {
		t.Errorf("a program without an end: %v", err)
	}
	s.look = true
	if v, err := s.version(t.Context()); err != nil || v != defaultVersion {
		t.Errorf("if nothing is to be run the version is %q, error %v", v, err)
	}
}
