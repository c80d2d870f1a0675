package build

import (
	"context"
	"runtime"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/engine"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/remote"
	"github.com/treewright/treewright/builder/remote/reapi"
)

// Backend is what a build uses of a machine: what runs steps, and the package
// archive that has the packages. Tests have one that runs nothing and asks nobody.
type Backend struct {
	// Families are the families of distributions that flavours can be of.
	Families distro.Families
	// Host makes sure that this machine can build what is of a family, and returns the
	// version of its program that bootstraps.
	Host func(ctx context.Context, d distro.Distro, sink event.Sink) (bootstrapper string, err error)
	// Arch is this machine's architecture, as Debian calls it.
	Arch string
	// Emulate makes sure that steps can run programs of another architecture in trees
	// below dir.
	Emulate func(ctx context.Context, d distro.Distro, arch, dir string, sink event.Sink) error
	// KVM returns why virtual machines of an architecture are emulated here, nil if they
	// are not. Builds do not ask; the estimate of a boot's time does. A KVM of nil leaves
	// the answer to the machine.
	KVM func(arch string) error
	// Executor carries steps out.
	Executor func(sink event.Sink) engine.Executor
	// OpenRemote opens a cache of results on another machine. scratch is a directory for large temporary files.
	OpenRemote func(access remote.Access, scratch string) (remote.Cache, error)
	// OpenExec opens a server for remote execution.
	OpenExec func(access remote.Access) (remote.Executor, error)
}

// thisMachine is the backend of real builds.
func thisMachine() Backend {
	return Backend{
		Families: Families,
		Host:     checkHost,
		Arch:     runtime.GOARCH,
		Emulate:  checkEmulation,
		Executor: func(sink event.Sink) engine.Executor { return &engine.Local{Sink: sink} },

		OpenRemote: openRemote,
		OpenExec:   reapi.OpenExecution,
	}
}
