package added

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/download"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/sandbox"
)

// Machine is a machine that packages are added to.
type Machine struct {
	// Root is the directory with its files, "/" for this machine.
	Root string
	// Path is the search path of its programs, as in PATH; "" for the usual directories.
	Path string
	// Say gets the messages for users who wait, line by line.
	Say func(line string)
	// Timing describes how long to wait for servers.
	Timing download.Timing
	// Local makes images on the machine itself, without a server.
	Local bool
	// Renew has servers that make images look for newer versions.
	Renew bool
	// Free returns how many bytes are left for files in a directory.
	Free func(dir string) (int64, error)
	// Extend makes an image on this machine, as [build.ExtendHere] does.
	Extend func(context.Context, build.HereRequest) (*build.Extended, error)
}

// This returns this machine.
func This(say func(line string)) *Machine {
	return &Machine{Root: "/", Say: say, Timing: download.Patient, Free: layer.FreeSpace, Extend: build.ExtendHere}
}

// The directories of this package, below the root of a machine.
const (
	// stateDir is kept, and the same for all deployments.
	stateDir = "var/lib/treewright"
	// runDir is gone after a reboot.
	runDir = "run/treewright"
)

// at is the path of a file of the machine.
func (m *Machine) at(elem ...string) string {
	return filepath.Join(append([]string{m.Root}, elem...)...)
}

// output runs a program of the machine and returns its output.
func (m *Machine) output(ctx context.Context, argv ...string) ([]byte, error) {
	c := sandbox.Command{Argv: argv, Env: map[string]string{"LC_ALL": "C.UTF-8"}}
	if m.Path != "" {
		c.Env["PATH"] = m.Path
	}
	return c.Output(ctx)
}

// bootedFile is made by ostree-prepare-root(8) before a deployment starts.
const bootedFile = "run/ostree-booted"

// ErrNoDeployment is the error of a machine without commits, to which packages cannot be added.
var ErrNoDeployment = diag.Hostf("this machine was not booted from an OSTree deployment")

// booted returns an error if the machine does not run a deployment.
func (m *Machine) booted() error {
	_, err := os.Stat(m.at(bootedFile))
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNoDeployment
	}
	return err
}

// lock keeps other processes from changing packages until release is called. It waits for a process that holds the lock.
func (m *Machine) lock(ctx context.Context) (release func(), err error) {
	if err := m.booted(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(m.at(runDir), 0o755); err != nil {
		return nil, mayNot(err)
	}
	f, err := os.OpenFile(m.at(runDir, "lock"), os.O_CREATE|os.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, mayNot(err)
	}
	for said := false; ; said = true {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
		}
		if !said {
			m.Say("another treewright changes packages: waiting until it has finished")
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			f.Close()
			return nil, context.Cause(ctx)
		}
	}
}

// mayNot is the error of a user who may not change packages.
func mayNot(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return diag.Hostf("%v: only root changes the packages of a machine: try sudo", err)
	}
	return err
}

// write writes a small file of the machine. Its directory is made.
func (m *Machine) write(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return layer.WriteFile(path, data, 0o644)
}

// remove removes a file that may not exist.
func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
