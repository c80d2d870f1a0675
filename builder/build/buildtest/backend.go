package buildtest

import (
	"context"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/distro/debian"
	"github.com/treewright/treewright/builder/engine"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
)

// Backend returns the backend. It has one state, the cache that a builder is
// opened with.
func Backend() *build.Backend {
	return &build.Backend{
		Host:   func(context.Context, string, event.Sink) (string, error) { return "mmdebstrap 1.0", nil },
		Policy: func(context.Context) (debian.Policy, error) { return debian.Policy{}, nil },
		Archive: func(_ context.Context, a build.ArchiveOptions) (build.Archive, error) {
			return archive{a.Source}, nil
		},
		Executor: func(store *layer.Store, failedLogs string, sink event.Sink) engine.Executor {
			return &executor{store, failedLogs, sink}
		},
	}
}
