package builder_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/treetest"
)

// clone is a directory with the scripts that compile the program, and a go.mod that asks
// for a version of Go. Everybody can read it.
func clone(t *testing.T, needs string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "clone")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Mkdir(filepath.Join(dir, "builder"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"build", "builder/go", "builder/compile"} {
		script, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), script, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module example.org/m\n\ngo "+needs+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{dir, filepath.Join(dir, "builder")} {
		if err := os.Chmod(d, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// lacksHost runs a command, which is to end as all do on a machine that lacks something.
func lacksHost(t *testing.T, env []string, want string, argv ...string) {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	var ended *exec.ExitError
	if !errors.As(err, &ended) || ended.ExitCode() != 4 || !strings.Contains(string(out), want) {
		t.Errorf("%v: want exit status 4 and %q:\n%s", err, want, out)
	}
}

// TestGoTooOld: a Go that is older than go.mod asks for, and that may not or cannot be
// replaced by a newer one, is something that the machine lacks.
func TestGoTooOld(t *testing.T) {
	build := filepath.Join(clone(t, "1.999.0"), "build")
	lacksHost(t, []string{"GOTOOLCHAIN=local"}, "go.mod asks for 1.999.0, and GOTOOLCHAIN=local forbids to download it", build, "check")
	lacksHost(t, []string{"GOTOOLCHAIN=go1.999.1", "GOPROXY=off"}, "treewright: go1.999.1 cannot be downloaded, and this machine's Go is ", build, "check")
}

// TestNoGo: an ordinary user gets the command that installs Go, and a key that completes a
// command line is silent.
func TestNoGo(t *testing.T) {
	if os.Getuid() != 0 {
		treetest.Skip(t, "hides Go from a user, which needs root")
	}
	dir := clone(t, "1.26.0")
	tools := filepath.Join(dir, "tools")
	if err := os.Mkdir(tools, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"apt-get", "bash", "dirname", "env", "id", "mkdir", "realpath", "rm", "sed"} {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(tools, name)); err != nil {
			t.Fatal(err)
		}
	}
	const hidden = `for dir in /usr/local/go /usr/lib/go; do [ ! -d "$dir" ] || mount -t tmpfs none "$dir"; done
exec setpriv --reuid=65534 --regid=65534 --clear-groups env PATH="$1/tools" "$1/build" "${@:2}"`
	asUser := []string{"unshare", "--mount", "--propagation", "private", "bash", "-c", hidden, "bash", dir}
	lacksHost(t, nil, "treewright: this machine lacks Go; on Debian, as root: apt-get install --no-install-recommends golang-go ca-certificates\n", append(asUser, "check")...)
	if out, err := exec.Command(asUser[0], append(asUser[1:], "completion", "next", "--", "ch")...).CombinedOutput(); err == nil || len(out) > 0 {
		t.Errorf("completion without a program: %v\n%s", err, out)
	}
}

// TestBuildByLink: a link to the script, as in a directory of PATH, leads to its clone.
func TestBuildByLink(t *testing.T) {
	dir := clone(t, "1.26.0")
	for _, name := range []string{"features", ".cache/bin"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	treetest.WriteAll(t, dir, map[string]string{"shipped.go": "", "go.sum": ""})
	// After its sources: an older program would be built.
	treetest.Write(t, filepath.Join(dir, ".cache/bin/treewright"), "#!/bin/sh\necho \"$@\"\n")
	if err := os.Chmod(filepath.Join(dir, ".cache/bin/treewright"), 0o755); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "tw")
	if err := os.Symlink(filepath.Join(dir, "build"), link); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(link, "list", "features")
	cmd.Env = append(os.Environ(), "TREEWRIGHT_DIRECTORY=")
	if out, err := cmd.CombinedOutput(); err != nil || string(out) != "-C "+dir+" list features\n" {
		t.Errorf("%v\n%s", err, out)
	}
}
