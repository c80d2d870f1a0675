package used

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/treetest"
)

// TestRevision: a revision is copied as git checks it out, with its submodules, and with the files
// that its attributes leave out of archives. The repository's own index and files do not change.
func TestRevision(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		treetest.Skip(t, "needs git")
	}
	settings := filepath.Join(t.TempDir(), "settings")
	treetest.Write(t, settings, "[user]\n\tname = x\n\temail = x@example.com\n[protocol \"file\"]\n\tallow = always\n[commit]\n\tgpgSign = false\n")
	t.Setenv("GIT_CONFIG_GLOBAL", settings)
	t.Setenv("GIT_INDEX_FILE", "/nowhere")
	git := func(dir string, args ...string) string {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", dir}, args...)...)
		for _, kv := range os.Environ() {
			if !strings.HasPrefix(kv, "GIT_INDEX_FILE=") {
				cmd.Env = append(cmd.Env, kv)
			}
		}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	sub := treetest.Lay(t, t.TempDir(), "inner")
	git(sub, "init", "-q", "-b", "main")
	git(sub, "add", "-A")
	git(sub, "commit", "-q", "-m", "sub")
	dir := treetest.Lay(t, t.TempDir(), "trees/a/left-out", "trees/a/run@0755", "trees/a/link -> run")
	treetest.Write(t, filepath.Join(dir, ".gitattributes"), "left-out export-ignore\n")
	git(dir, "init", "-q", "-b", "main")
	git(dir, "submodule", "--quiet", "add", "file://"+sub, "trees/sub")
	git(dir, "add", "-A")
	git(dir, "commit", "-q", "-m", "one")
	treetest.Write(t, filepath.Join(dir, "trees/a/left-out"), "changed, not committed")
	treetest.Write(t, filepath.Join(dir, "trees/a/staged"), "new")
	git(dir, "add", "trees/a/staged")
	before := git(dir, "status", "--porcelain")

	r, err := FindRevision(t.Context(), filepath.Join(dir, "trees/a"), "HEAD")
	if err != nil {
		t.Fatal(err)
	}
	if r.Below != "trees/a/" || r.Commit != git(dir, "rev-parse", "HEAD") {
		t.Errorf("%+v", r)
	}
	to := t.TempDir()
	if err := r.Copy(t.Context(), to); err != nil {
		t.Fatal(err)
	}
	if got := treetest.Content(t, filepath.Join(to, "trees/a/left-out")); got != "trees/a/left-out" {
		t.Errorf("the file is %q", got)
	}
	if info, err := os.Lstat(filepath.Join(to, "trees/a/run")); err != nil || info.Mode()&0o100 == 0 {
		t.Errorf("the script: %v, %v", info, err)
	}
	if target, err := os.Readlink(filepath.Join(to, "trees/a/link")); target != "run" {
		t.Errorf("the link leads to %q, %v", target, err)
	}
	if got := treetest.Content(t, filepath.Join(to, "trees/sub/inner")); got != "inner" {
		t.Errorf("the file of the submodule is %q", got)
	}
	if _, err := os.Lstat(filepath.Join(to, "trees/a/staged")); err == nil {
		t.Error("a file is there that the revision does not have")
	}
	if after := git(dir, "status", "--porcelain"); after != before {
		t.Errorf("the repository was\n%s\nand is\n%s", before, after)
	}
	git(dir, "submodule", "--quiet", "deinit", "--force", "trees/sub")
	if err := r.Copy(t.Context(), t.TempDir()); err == nil || !strings.Contains(err.Error(), "the submodule trees/sub is not checked out") {
		t.Errorf("without the submodule: %v", err)
	}
}
