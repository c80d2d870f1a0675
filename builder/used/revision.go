package used

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/sandbox"
)

// Revision is a revision of the git repository that a tree is in.
type Revision struct {
	// Commit is the id of the commit. Top is the top directory of the repository.
	Commit, Top string
	// Below is the path of the tree below Top.
	Below string
}

// FindRevision finds a revision of the repository that a directory is in.
func FindRevision(ctx context.Context, dir, rev string) (Revision, error) {
	if !sandbox.Installed("git") {
		return Revision{}, diag.Hostf("git is not installed, so the revision %s cannot be read: apt-get install git", rev)
	}
	top, err := inRepository(ctx, dir, nil, "rev-parse", "--show-toplevel")
	if err != nil {
		return Revision{}, diag.Requestf("%s is not in a git repository that can be read, so the revision %s cannot be found: %v", dir, rev, err)
	}
	below, err := inRepository(ctx, dir, nil, "rev-parse", "--show-prefix")
	if err != nil {
		return Revision{}, err
	}
	r := Revision{Top: top, Below: filepath.FromSlash(below)}
	r.Commit, err = inRepository(ctx, dir, nil, "rev-parse", "--quiet", "--verify", "--end-of-options", rev+"^{commit}")
	if err == nil {
		return r, nil
	}
	hint := ""
	if shallow, _ := inRepository(ctx, dir, nil, "rev-parse", "--is-shallow-repository"); shallow == "true" {
		hint = ": the clone is shallow; `git fetch --unshallow` gets the rest (fetch-depth: 0 of actions/checkout, GIT_DEPTH: 0 of GitLab)"
	}
	return Revision{}, diag.Requestf("the repository %s does not have a revision %q%s", top, rev, hint)
}

// Copy writes the files of the revision below an empty directory, as git checks them out on
// this machine. The repository does not change. Submodules have to be checked out, and to
// have the commits of the revision.
func (r Revision) Copy(ctx context.Context, to string) error {
	git, err := inRepository(ctx, r.Top, nil, "rev-parse", "--absolute-git-dir")
	if err != nil {
		return err
	}
	index, err := os.CreateTemp("", "treewright-index-*")
	if err != nil {
		return err
	}
	defer os.Remove(index.Name())
	defer os.Remove(index.Name() + ".lock")
	if err := index.Close(); err != nil {
		return err
	}
	// git takes an empty file for a damaged index.
	if err := os.Remove(index.Name()); err != nil {
		return err
	}
	own := map[string]string{"GIT_INDEX_FILE": index.Name(), "GIT_DIR": git, "GIT_WORK_TREE": to}
	if _, err := inRepository(ctx, to, own, "read-tree", r.Commit); err != nil {
		return fmt.Errorf("read revision %.12s: %w", r.Commit, err)
	}
	if _, err := inRepository(ctx, to, own, "checkout-index", "--quiet", "--all"); err != nil {
		return fmt.Errorf("read revision %.12s: %w", r.Commit, err)
	}
	files, err := inRepository(ctx, to, own, "ls-files", "--stage", "-z")
	if err != nil {
		return err
	}
	for entry := range strings.SplitSeq(files, "\x00") {
		about, name, _ := strings.Cut(entry, "\t")
		const submodule = "160000 "
		if !strings.HasPrefix(about, submodule) {
			continue
		}
		commit, _, _ := strings.Cut(about[len(submodule):], " ")
		at := filepath.FromSlash(name)
		sub := Revision{Commit: commit, Top: filepath.Join(r.Top, at)}
		if _, err := os.Lstat(filepath.Join(sub.Top, ".git")); err != nil {
			return diag.Requestf("the submodule %s is not checked out, and revision %.12s has files in it: git submodule update --init", name, r.Commit)
		}
		if err := os.MkdirAll(filepath.Join(to, at), 0o755); err != nil {
			return err
		}
		if err := sub.Copy(ctx, filepath.Join(to, at)); err != nil {
			return fmt.Errorf("submodule %s: %w", name, err)
		}
	}
	return nil
}

// inRepository runs git in a directory and returns its output, without the last newline. The
// repository may belong to another user, as a build runs as root. So git does not start the
// programs that the repository configures.
func inRepository(ctx context.Context, dir string, own map[string]string, args ...string) (string, error) {
	env := gitEnv()
	for name, value := range own {
		env[name] = value
	}
	argv := append([]string{"git", "-C", dir, "-c", "safe.directory=*", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"}, args...)
	out, err := sandbox.Command{Argv: argv, Env: env}.Output(ctx)
	return strings.TrimRight(string(out), "\n"), err
}
