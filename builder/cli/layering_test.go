package cli

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/treetest"
)

// TestCompletionOfMachines: machines have the completion script of this program.
func TestCompletionOfMachines(t *testing.T) {
	if treetest.Content(t, filepath.Join(treetest.Shipped(t), "features/layering/file.include/usr/share/bash-completion/completions/treewright")) != bashCompletion {
		t.Error("the script of the feature layering is another one: copy completion.bash")
	}
}

// aptFront puts the program in front of apt into a directory, with a booted deployment and an apt that prints its arguments.
func aptFront(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	text := treetest.Content(t, filepath.Join(treetest.Shipped(t), "features/layering/file.include/usr/lib/treewright/apt-front"))
	for _, place := range []string{"/usr/lib/treewright/apt/", "/run/ostree-booted"} {
		if !strings.Contains(text, place) {
			t.Fatalf("%s is not mentioned", place)
		}
		text = strings.ReplaceAll(text, place, dir+place)
	}
	// Root can write everywhere but where nothing is mounted.
	text = strings.ReplaceAll(text, "[ -w /usr ]", "[ -e "+dir+"/writable ]")
	for name, content := range map[string]string{"bin/apt": text, "bin/apt-get": text, "usr/lib/treewright/apt/apt": "#!/bin/sh\necho apt: \"$@\"\n", "usr/lib/treewright/apt/apt-get": "#!/bin/sh\necho apt-get: \"$@\"\n"} {
		treetest.Write(t, filepath.Join(dir, name), content)
		if err := os.Chmod(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	treetest.Write(t, filepath.Join(dir, "run/ostree-booted"), "")
	return dir
}

// TestAptFront: apt on a machine prints the command to use instead, and all other calls are passed on.
func TestAptFront(t *testing.T) {
	dir := aptFront(t)
	run := func(line string) string {
		words := strings.Fields(line)
		out, err := exec.Command(filepath.Join(dir, "bin", words[0]), words[1:]...).CombinedOutput()
		var exit *exec.ExitError
		if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 100) {
			t.Errorf("%s: %v", line, err)
		}
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		return strings.TrimSpace(lines[len(lines)-1])
	}
	const byName = "Packages are added by their names: treewright add PACKAGE..."
	for line, want := range map[string]string{
		"apt install jq":                       "treewright add jq",
		"apt-get -y install -t sid jq tcpdump": "treewright add jq tcpdump",
		"apt-get install --target-release sid -o Dpkg::Use-Pty=0 jq=1.7 g++:amd64 vim/sid": "treewright add jq g++ vim",
		"apt install ./jq.deb":            byName,
		"apt install $(reboot) ;":         byName,
		"apt install":                     byName,
		"apt-get build-dep jq":            byName,
		"apt purge jq":                    "treewright remove jq",
		"apt autoremove":                  byName,
		"apt full-upgrade":                "ostree admin upgrade --stage",
		"apt-get upgrade -y":              "ostree admin upgrade --stage",
		"apt show jq":                     "apt: show jq",
		"apt-get install -s jq":           "apt-get: install -s jq",
		"apt-get --print-uris install jq": "apt-get: --print-uris install jq",
		"apt-get update":                  "apt-get: update",
		"apt":                             "apt:",
		"apt -o install remove vim":       "treewright remove vim",
		"apt list --installed":            "apt: list --installed",
	} {
		if got := run(line); got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
	treetest.Write(t, filepath.Join(dir, "writable"), "")
	if got := run("apt install jq"); got != "apt: install jq" {
		t.Errorf("where /usr can be written: %q", got)
	}
	os.Remove(filepath.Join(dir, "writable"))
	os.Remove(filepath.Join(dir, "run/ostree-booted"))
	if got := run("apt-get install jq"); got != "apt-get: install jq" {
		t.Errorf("in a build: %q", got)
	}
}
