package build

import (
	"context"
	"fmt"
	"os"
	"os/user"
	"strings"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/sandbox"
)

// checkHost makes sure that this machine can build what is of a family, installing
// what it lacks, and returns the version of the program that bootstraps.
func checkHost(ctx context.Context, d distro.Distro, sink event.Sink) (string, error) {
	if err := checkRights(); err != nil {
		return "", err
	}
	var missing []string
	for _, p := range d.Programs() {
		if !sandbox.Installed(p.Name) {
			missing = append(missing, p.Package)
		}
	}
	if len(missing) > 0 {
		if err := install(ctx, reporter{sink}, missing); err != nil {
			return "", err
		}
	}
	version, err := d.Bootstrapper(ctx)
	if err != nil {
		return "", diag.Hostf("%v", err)
	}
	return version, nil
}

// checkRights makes sure that this process has the rights that steps need.
func checkRights() error {
	if os.Getuid() != 0 {
		name := "an ordinary user"
		if u, err := user.Current(); err == nil {
			name = u.Username
		}
		return diag.Hostf("building needs root for now, and this is %s: try sudo", name)
	}
	if rights := sandbox.Lacks(); len(rights) > 0 {
		return diag.Hostf("building needs all rights of root, and this root lacks %s, as in a container without --privileged: start the container with --privileged (docs/containers.md)", strings.Join(rights, ", "))
	}
	return nil
}

// installLock is held while a build installs packages on this machine, so that two builds
// that begin on a fresh one do not get into each other's way.
var installLock = "/run/treewright-install.lock"

// aptWaits is how long apt-get waits for other programs that install packages, as a fresh
// machine often runs one by itself.
const aptWaits = "DPkg::Lock::Timeout=300"

// install installs packages on this machine, if it is a Debian one. What another build has
// installed meanwhile costs apt-get a second.
func install(ctx context.Context, r reporter, packages []string) error {
	command := "apt-get install --no-install-recommends " + strings.Join(packages, " ")
	if !sandbox.Installed("apt-get") {
		return diag.Hostf("this machine lacks %s; on Debian: %s", strings.Join(packages, ", "), command)
	}
	unlock, err := layer.LockFile(ctx, installLock, func() {
		r.say(event.Waiting, "another build, which installs packages on this machine")
	})
	if err != nil {
		return fmt.Errorf("install %s: %w", strings.Join(packages, ", "), err)
	}
	defer unlock()
	return r.phase("install "+strings.Join(packages, ", ")+" on this machine", func() error {
		env := sandbox.HostEnv()
		env["DEBIAN_FRONTEND"] = "noninteractive"
		// Cut off, it would leave the packages of this machine half-configured.
		try := func() error {
			_, err := sandbox.Command{Argv: append([]string{"apt-get", "install", "-y", "-q", "--no-install-recommends", "-o", aptWaits}, packages...), Env: env, Finish: true}.Output(ctx)
			return err
		}
		if try() == nil {
			return nil
		}
		// A fresh machine may have no package lists yet.
		r.note("updating the package lists of this machine first")
		if _, err := (sandbox.Command{Argv: []string{"apt-get", "update", "-q"}, Env: env}).Output(ctx); err != nil {
			return diag.Hostf("this machine lacks %s, and apt-get update fails: %v", strings.Join(packages, ", "), err)
		}
		if err := try(); err != nil {
			return diag.Hostf("this machine lacks %s, and `%s` fails: %v", strings.Join(packages, ", "), command, err)
		}
		return nil
	})
}
