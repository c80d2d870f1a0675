package build

import (
	"context"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/distro/debian"
	"github.com/treewright/treewright/builder/download"
	"github.com/treewright/treewright/builder/engine"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
)

// Backend is what the road stands on: the machine that runs steps, and the
// archive that has packages. Tests have one that runs nothing and asks nobody.
type Backend struct {
	// Host makes sure that this machine can build for an architecture, and returns
	// the version of its mmdebstrap.
	Host func(ctx context.Context, arch string, sink event.Sink) (bootstrapper string, err error)
	// Policy is how this machine asks for packages.
	Policy func(ctx context.Context) (debian.Policy, error)
	// Archive opens a package archive.
	Archive func(ctx context.Context, a ArchiveOptions) (Archive, error)
	// Executor carries steps out. It keeps the logs of failed ones in a directory.
	Executor func(store *layer.Store, failedLogs string, sink event.Sink) engine.Executor
}

// ArchiveOptions are what an archive is opened with.
type ArchiveOptions struct {
	Source  distro.Source
	Cache   string
	Policy  debian.Policy
	Client  *download.Client
	Offline bool
}

// Archive knows packages.
type Archive interface {
	// Resolve returns the exact packages that are there when those wanted are
	// installed on top of others.
	Resolve(ctx context.Context, on *distro.Closure, wants []distro.Want) (*distro.Closure, error)
	// Index has all packages.
	Index(ctx context.Context) (distro.Index, error)
	// Release is the SHA-256 of the release file.
	Release() string
}

// thisMachine is the backend of real builds.
func thisMachine() Backend {
	return Backend{
		Host:   checkHost,
		Policy: debian.HostPolicy,
		Archive: func(ctx context.Context, a ArchiveOptions) (Archive, error) {
			archive, err := debian.OpenArchive(ctx, a.Cache, a.Source, a.Policy, a.Offline, a.Client)
			if err != nil {
				return nil, err
			}
			return archive, nil
		},
		Executor: func(store *layer.Store, failedLogs string, sink event.Sink) engine.Executor {
			return &engine.Local{Store: store, Sink: sink, FailedLogs: failedLogs}
		},
	}
}
