package debian

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/sandbox"
)

// BootstrapVersion is raised when Bootstrap would give another tree.
func (Family) BootstrapVersion() int { return 1 }

// Bootstrap fills an empty tree with packages of a flat repository that
// [Family.Fetch] made, by this machine's mmdebstrap(1).
func (Family) Bootstrap(ctx context.Context, w distro.Work, archs []string, names []string) error {
	// mmdebstrap and apt split paths at blanks, and take other characters for
	// quotes and escapes.
	err := sandbox.UnderPlainNames(map[string]string{"tree": w.Root, "repo": w.Repo}, func(at map[string]string) error {
		return bootstrap(ctx, at["tree"], at["repo"], names, archs, w)
	})
	if err != nil {
		return fmt.Errorf("bootstrap: %w", err)
	}
	return cleanBootstrap(w.Root)
}

func bootstrap(ctx context.Context, root, repo string, names []string, archs []string, w distro.Work) error {
	// It runs the packages' scripts as root, so it sees of the host only the
	// programs that it calls, and can write only to the tree. What a host's apt is
	// told (/etc/apt) is not for here.
	view := &sandbox.View{Shown: append([]string{repo, "/etc/dpkg"}, sandbox.Programs...), Writable: []string{root}, Installs: true}
	return sandbox.Command{
		View: view, Argv: []string{"mmdebstrap", "--mode=root", "--variant=essential", "--format=directory", "--architectures=" + strings.Join(archs, ","),
			"--include=" + strings.Join(names, ","),
			"--aptopt=APT::Sandbox::User \"root\"", "--aptopt=Acquire::Languages \"none\"", "--dpkgopt=force-unsafe-io",
			"--skip=check/qemu", "--skip=check/empty", "--skip=chroot/mount",
			"", root, "deb [trusted=yes] copy:" + repo + " ./"},
		Env: w.Env, Stdout: w.Log, Stderr: w.Log,
	}.Run(ctx)
}

// cleanBootstrap removes what is mmdebstrap's or the host's: it carries the
// host's name and resolver over, and makes device nodes, which no commit can
// hold.
func cleanBootstrap(root string) error {
	for _, name := range []string{"etc/hostname", "etc/resolv.conf", "etc/apt/sources.list"} {
		if err := os.Remove(filepath.Join(root, name)); err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("bootstrap: %w", err)
		}
	}
	for _, dir := range []string{"dev", "run", "tmp", "etc/apt/sources.list.d"} {
		if err := layer.Empty(filepath.Join(root, dir)); err != nil {
			return fmt.Errorf("bootstrap: %w", err)
		}
	}
	// The file that mmdebstrap wrote --dpkgopt into is about its own run only.
	if err := os.RemoveAll(filepath.Join(root, "etc/dpkg/dpkg.cfg.d/99mmdebstrap")); err != nil {
		return fmt.Errorf("bootstrap: %w", err)
	}
	for _, name := range []string{"etc/apt/apt.conf.d/99mmdebstrap"} {
		if err := os.RemoveAll(filepath.Join(root, name)); err != nil {
			return fmt.Errorf("bootstrap: %w", err)
		}
	}
	return tidy(root)
}

// tidy removes what installing packages leaves that differs from run to
// run or belongs to this machine: logs, caches, a machine's identity.
func tidy(root string) error {
	for _, dir := range []string{"var/log/apt", "var/cache/apt", "var/lib/apt/lists"} {
		if err := layer.Empty(filepath.Join(root, dir)); err != nil {
			return fmt.Errorf("tidy: %w", err)
		}
	}
	for _, name := range []string{
		"var/log/dpkg.log", "var/log/alternatives.log", "var/log/bootstrap.log", "var/log/fontconfig.log",
		"var/cache/ldconfig/aux-cache", "var/cache/debconf/config.dat-old", "var/cache/debconf/templates.dat-old",
		"var/lib/dpkg/status-old", "var/lib/dpkg/available", "var/lib/dpkg/available-old", "var/lib/dpkg/lock", "var/lib/dpkg/lock-frontend",
		"var/lib/dpkg/triggers/Lock", "var/lib/systemd/random-seed",
		"etc/.pwd.lock",
	} {
		if err := os.Remove(filepath.Join(root, name)); err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("tidy: %w", err)
		}
	}
	// An empty file is an identity that the first boot fills in (machine-id(5)).
	id := filepath.Join(root, "etc/machine-id")
	if info, err := os.Lstat(id); err == nil && info.Size() > 0 {
		if err := os.Truncate(id, 0); err != nil {
			return fmt.Errorf("tidy: %w", err)
		}
	}
	return nil
}
