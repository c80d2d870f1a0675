package used

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/sandbox"
	"github.com/treewright/treewright/builder/source"
	"github.com/treewright/treewright/builder/treefs"
)

// A commit is kept as a directory with its files and, beside them, their digest: a
// cache can be damaged.
const (
	treeDir    = "tree"
	digestFile = "digest"
)

// commit returns the directory with the files of a commit, which it fetches if need
// be.
func (o *Opener) commit(u config.Use) (string, error) {
	kept := filepath.Join(o.Cache, u.Commit)
	tree := filepath.Join(kept, treeDir)
	there, err := o.Held.Hold(kept)
	if err != nil {
		return "", err
	}
	if there && intact(kept) {
		now := time.Now()
		_ = os.Chtimes(kept, now, now) // a hint for the removal of old data
		return tree, nil
	}
	if o.Offline {
		return "", errors.New("its files are not in the cache, and nothing is fetched now (--offline)")
	}
	if !sandbox.Installed("git") {
		return "", errors.New("git has to fetch it, and this machine lacks git; on Debian: apt-get install git")
	}
	if o.Before != nil {
		done, err := o.Before()
		if err != nil {
			return "", err
		}
		defer done()
	}
	o.Say("fetching " + u.String())
	if err := o.keep(u, kept); err != nil {
		return "", err
	}
	if there, err = o.Held.Hold(kept); err == nil && !there {
		err = fmt.Errorf("another program removed %s; start again", kept)
	}
	return tree, err
}

// intact reports whether a commit that is kept has the files that were fetched.
func intact(kept string) bool {
	want, err := os.ReadFile(filepath.Join(kept, digestFile))
	if err != nil {
		return false
	}
	got, err := source.DigestDir(filepath.Join(kept, treeDir))
	return err == nil && got == string(want)
}

// keep fetches a commit to where it is kept.
func (o *Opener) keep(u config.Use, kept string) error {
	if err := os.MkdirAll(o.Cache, 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(o.Cache, ".new-*")
	if err != nil {
		return err
	}
	defer layer.RemoveAll(tmp)
	if err := fetch(u, tmp); err != nil {
		return err
	}
	made := filepath.Join(tmp, "kept")
	digest, err := source.DigestDir(filepath.Join(made, treeDir))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(made, digestFile), []byte(digest), 0o644); err != nil {
		return err
	}
	if err := layer.Sync(made); err != nil {
		return err
	}
	// The rename fails if the commit exists. If it is intact, another build has fetched it meanwhile, and may be
	// reading it now.
	err = os.Rename(made, kept)
	if err != nil && !intact(kept) {
		if err := os.Rename(kept, filepath.Join(tmp, "before")); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := os.Rename(made, kept); err != nil && !treefs.Exists(kept) {
			return err
		}
	}
	return layer.SyncDir(o.Cache)
}

// gitEnv returns the environment of git.
func gitEnv() map[string]string {
	env := sandbox.HostEnv()
	for name := range env {
		// A hook of git has variables that lead to another repository.
		if strings.HasPrefix(name, "GIT_") && !strings.HasPrefix(name, "GIT_SSH") && !strings.HasPrefix(name, "GIT_CONFIG") && name != "GIT_ASKPASS" {
			delete(env, name)
		}
	}
	env["GIT_TERMINAL_PROMPT"] = "0"
	return env
}

// fetch fetches a commit and writes its files to kept/tree below a directory. The
// user's settings only decide how repositories are reached.
func fetch(u config.Use, dir string) error {
	repo, tree := filepath.Join(dir, "repo"), filepath.Join(dir, "kept", treeDir)
	if err := os.MkdirAll(tree, 0o755); err != nil {
		return err
	}
	env := gitEnv()
	git := func(args ...string) error {
		_, err := sandbox.Command{Argv: append([]string{"git"}, args...), Env: env}.Output(context.Background())
		return err
	}
	format := "sha1"
	if len(u.Commit) == 64 {
		format = "sha256"
	}
	if err := git("init", "-q", "--bare", "--object-format="+format, repo); err != nil {
		return err
	}
	network := []string{"--git-dir", repo, "-c", "http.lowSpeedLimit=1000", "-c", "http.lowSpeedTime=60", "fetch", "-q", "--no-tags"}
	if err := git(append(network, "--depth=1", u.URL, u.Commit)...); err != nil {
		// Some servers give what has a name only.
		if err := git(append(network, u.URL, "+refs/*:refs/*")...); err != nil {
			return fmt.Errorf("git cannot fetch it: %w", err)
		}
	}
	if err := git("--git-dir", repo, "cat-file", "-e", u.Commit+"^{commit}"); err != nil {
		return fmt.Errorf("the repository %s has no commit %s", u.URL, u.Commit)
	}
	env["GIT_CONFIG_GLOBAL"], env["GIT_CONFIG_NOSYSTEM"] = "/dev/null", "1"
	here := []string{"--git-dir", repo, "--work-tree", tree, "-c", "core.symlinks=true", "-c", "core.fileMode=true"}
	if err := git(append(here, "read-tree", u.Commit)...); err != nil {
		return err
	}
	return git(append(here, "checkout-index", "-q", "--all")...)
}
