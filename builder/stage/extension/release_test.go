package extension

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/stage/machine"
)

func TestExtensionRelease(t *testing.T) {
	got, err := extensionRelease("PRETTY_NAME=\"Debian\"\nID=debian\nVERSION_ID=\"ab12\"\nSYSEXT_LEVEL=2\n", "amd64", true)
	if err != nil {
		t.Fatal(err)
	}
	if want := "ID=debian\nVERSION_ID=\"ab12\"\nSYSEXT_LEVEL=2\nARCHITECTURE=x86-64\nEXTENSION_RELOAD_MANAGER=1\n"; got != want {
		t.Errorf("got\n%s", got)
	}
	got, err = extensionRelease("ID=debian\n", "arm64", false)
	if want := "ID=debian\nARCHITECTURE=arm64\n"; err != nil || got != want {
		t.Errorf("got\n%s, %v", got, err)
	}
	if _, err := extensionRelease("NAME=x\n", "amd64", false); err == nil {
		t.Error("an os-release without ID is accepted")
	}
}

// What a machine reads is what an extension is matched to: /etc/os-release where
// it is a file or a link, in both shapes of a tree.
func TestOSReleaseOfATree(t *testing.T) {
	const debian, mine = "ID=debian\n", "ID=mine\n"
	for name, c := range map[string]struct {
		tree       map[string]string
		text, file string
	}{
		"Debian's link":        {map[string]string{"etc/os-release": "-> ../usr/lib/os-release", "usr/lib/os-release": debian}, debian, "/etc/os-release"},
		"committed":            {map[string]string{"usr/etc/os-release": "-> ../usr/lib/os-release", "usr/lib/os-release": debian}, debian, "/etc/os-release"},
		"an absolute link":     {map[string]string{"usr/etc/os-release": "-> /usr/lib/os-release", "usr/lib/os-release": debian}, debian, "/etc/os-release"},
		"a file":               {map[string]string{"etc/os-release": mine, "usr/lib/os-release": debian}, mine, "/etc/os-release"},
		"a file, committed":    {map[string]string{"usr/etc/os-release": mine, "usr/lib/os-release": debian}, mine, "/etc/os-release"},
		"a link to /etc":       {map[string]string{"usr/etc/os-release": "-> /etc/other", "usr/etc/other": mine, "usr/lib/os-release": debian}, mine, "/etc/os-release"},
		"none in /etc":         {map[string]string{"usr/etc/x": "", "usr/lib/os-release": debian}, debian, "/usr/lib/os-release"},
		"a link that dangles":  {map[string]string{"usr/etc/os-release": "-> nowhere", "usr/lib/os-release": debian}, debian, "/usr/lib/os-release"},
		"a link out of a tree": {map[string]string{"etc/os-release": "-> ../../../../../../etc/passwd", "etc/passwd": mine}, mine, "/etc/os-release"},
	} {
		text, file, err := machine.OSRelease(sampleTree(t, c.tree))
		if text != c.text || file != c.file || err != nil {
			t.Errorf("%s: got %q of %s, %v", name, text, file, err)
		}
	}
	if _, _, err := machine.OSRelease(sampleTree(t, map[string]string{"etc/x": ""})); err == nil {
		t.Error("a tree without an os-release has one")
	}
}

func TestMismatch(t *testing.T) {
	for _, c := range []struct{ system, extension, want string }{
		{"ID=debian\nVERSION_ID=\"1\"", "ID=debian\nVERSION_ID=1", ""},
		{"ID=debian", "ID=debian", ""},
		{"ID=debian", "ID=debian\nVERSION_ID=7", ""},
		{"ID=debian\nVERSION_ID=1", "ID=_any", ""},
		{"ID=debian\nVERSION_ID=1", "ID=debian\nVERSION_ID=1\nARCHITECTURE=x86-64", ""},
		{"ID=mine\nID_LIKE=\"other debian\"\nVERSION_ID=1", "ID=debian\nVERSION_ID=1", ""},
		{"ID=debian\nVERSION_ID=1\nSYSEXT_LEVEL=2", "ID=debian\nVERSION_ID=3\nSYSEXT_LEVEL=2", ""},
		{"ID=debian\nSYSEXT_LEVEL=2", "ID=debian", ""}, // a level on one side alone is not looked at
		{"ID=debian\nVERSION_ID=1", "ID=debian", `its VERSION_ID is "", the system's is "1"`},
		{"ID=debian\nVERSION_ID=1", "ID=debian\nVERSION_ID=2", `its VERSION_ID is "2", the system's is "1"`},
		{"ID=debian\nVERSION_ID=1\nSYSEXT_LEVEL=2", "ID=debian\nVERSION_ID=1\nSYSEXT_LEVEL=3", `its SYSEXT_LEVEL is "3", the system's is "2"`},
		{"ID=debian\nVERSION_ID=1", "ID=fedora\nVERSION_ID=1", `its ID is "fedora", the system's is "debian"`},
		{"ID=debian\nVERSION_ID=1", "VERSION_ID=1", `its ID is "", the system's is "debian"`},
		{"ID=debian", "ID=debian\nARCHITECTURE=arm64", `its ARCHITECTURE is "arm64", the system's is "x86-64"`},
		{"ID=debian", "ID=debian\nSYSEXT_SCOPE=\"initrd portable\"", `its SYSEXT_SCOPE is "initrd portable", without "system"`},
	} {
		if got := mismatch(machine.ReleaseFields(c.system), machine.ReleaseFields(c.extension), "amd64"); got != c.want {
			t.Errorf("%q in %q: got %q, want %q", c.extension, c.system, got, c.want)
		}
	}
}

// An extension fits what systemd reads on the machine; a feature's own release
// file that does not is an error.
func TestExtensionReleaseIsTheSystems(t *testing.T) {
	task := extensionTask(t, with(sampleSystem, map[string]string{"usr/bin/x": "x"}), io.Discard)
	task.Inputs["committed"] = sampleTree(t, with(sampleCommitted, map[string]string{
		"usr/lib/os-release": "ID=debian\nVERSION_ID=1\n", "usr/etc/os-release": "ID=mine\nVERSION_ID=2\n",
	}))
	if err := TreeAction.Do(t.Context(), task); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(task.Out, "x/usr/lib/extension-release.d/extension-release.x"))
	if want := "ID=mine\nVERSION_ID=2\nARCHITECTURE=x86-64\n"; string(text) != want || err != nil {
		t.Errorf("got %q, %v", text, err)
	}
	for own, want := range map[string]string{"ID=debian\n": "", "ID=fedora\n": `its ID is "fedora", the system's is "debian"`} {
		err := TreeAction.Do(t.Context(), extensionTask(t, with(sampleSystem, map[string]string{
			"usr/bin/x": "x", "usr/lib/extension-release.d/extension-release.x": own,
		}), io.Discard))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v", own, err)
		}
	}
}
