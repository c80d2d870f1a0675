package task

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestTheCommandThatEndsAScript runs scripts by this machine's bash, as it is told to note
// what fails.
func TestTheCommandThatEndsAScript(t *testing.T) {
	for _, c := range []struct{ name, script, want string }{
		{"plain", "set -e\n\ntest -e /nope\necho on\n", "exec.config:3: test -e /nope: exit status 1"},
		{"function", "set -euo pipefail\nf() {\n  (exit 7)\n}\nf\n", "exec.config:3: ( exit 7 ): exit status 7"},
		{"pipe", "set -eo pipefail\nfalse | cat\n", "exec.config:2: cat: exit status 1"},
		{"substitution", "set -e\nx=$(false; exit 4)\n", "exec.config:2: x=$(false; exit 4): exit status 4"},
		{"lines", "set -e\ncat /nope \\\n  /neither\n", "exec.config:2: cat /nope /neither: exit status 1"},
		{"own exit", "set -e\nif ! false; then exit 3; fi\n", ""},
		{"no errexit", "false\nexit 1\n", ""},
		{"met", "set -e\nfalse || true\nexit 1\n", ""},
		{"own trap", "set -e\ntrap 'exit 9' ERR\nfalse\n", ""},
		{"child", "set -e\necho 'test -z \"${BASH_ENV-}\" || echo told; false' >helper\nif bash ./helper; then :; fi\nexit 2\n", ""},
		{"fine", "set -e\ntrue\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			script, env, note := filepath.Join(dir, "exec.config"), filepath.Join(dir, "trap"), filepath.Join(dir, "failed")
			text := strings.ReplaceAll(trap, failedFile, note)
			if err := errors.Join(os.WriteFile(script, []byte(c.script), 0o755), os.WriteFile(env, []byte(text), 0o644)); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command("bash", script)
			cmd.Dir, cmd.Env = dir, []string{"BASH_ENV=" + env, "PATH=" + os.Getenv("PATH")}
			out, err := cmd.CombinedOutput()
			if strings.Contains(string(out), "told") {
				t.Error("another script is told as well")
			}
			if err == nil {
				if c.name != "fine" {
					t.Fatal("it did not fail")
				}
				return
			}
			raw, readErr := os.ReadFile(note)
			if readErr != nil && c.want != "" {
				t.Fatalf("nothing was noted; it says %q", out)
			}
			failed := noted(string(raw), err)
			switch {
			case failed == nil && c.want != "":
				t.Errorf("%q is not taken for the command that failed", raw)
			case failed != nil && strings.TrimPrefix(failed.Error(), dir+"/") != c.want:
				t.Errorf("%q, want %q", failed, c.want)
			}
		})
	}
}

func TestNetworkHint(t *testing.T) {
	for command, want := range map[string]bool{
		"apt-get install -y vim": true, "DEBIAN_FRONTEND=noninteractive /usr/bin/apt-get update": true, "curl -fO https://example.org/": true,
		"cat curl": false, "": false, "x=1": false,
	} {
		if got := networkHint(command); strings.Contains(got, "have no network") != want {
			t.Errorf("%q: %q", command, got)
		}
	}
}

// TestNoteOfAScript: what a script puts in the place of the note is not waited for, and
// does not lead out of the tree.
func TestNoteOfAScript(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(outside, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, put := range map[string]func(note string) error{
		"pipe": func(note string) error { return unix.Mkfifo(note, 0o600) },
		"link": func(note string) error { return os.Symlink(outside, note) },
		"many": func(note string) error { return os.Symlink("/dev/zero", note) },
		"none": func(string) error { return nil },
	} {
		tree := t.TempDir()
		if err := errors.Join(os.Mkdir(tree+ToolSource, 0o755), put(tree+failedFile)); err != nil {
			t.Fatal(err)
		}
		if got := readNote(tree); got != "" {
			t.Errorf("%s: read %q", name, got)
		}
	}
	tree := t.TempDir()
	if err := errors.Join(os.Mkdir(tree+ToolSource, 0o755), os.WriteFile(tree+failedFile, []byte("1\x00"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if got := readNote(tree); got != "1\x00" {
		t.Errorf("a note is read as %q", got)
	}
}
