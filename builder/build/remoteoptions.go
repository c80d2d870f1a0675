package build

import (
	"sync"

	"github.com/treewright/treewright/builder/remote"
	"github.com/treewright/treewright/builder/worker"
)

// RemoteOptions name the cache of results that is shared with other machines.
type RemoteOptions struct {
	// URL is where it is; "" for the one that the tree names in treewright.hcl, [NoRemote] for none.
	URL string
	// Push puts results there that are made here; so does push in treewright.hcl.
	Push bool
	// Helper is the program that is asked for credentials of gRPC servers, "" for none. A tree cannot name it: it
	// runs outside of all sandboxes.
	Helper string
	// Verify is how many percent of the results that were taken from there are made here again and
	// compared.
	Verify int
}

// ExecOptions name the server for remote execution.
type ExecOptions struct {
	// URL is the URL of the server; "" for the server of treewright.hcl, [NoRemote] to run all steps on this machine.
	URL string
	// Platform are properties that workers must have, in addition to the properties of the tree; see [config.ParseProperty].
	Platform []string
	// Programs name this program for workers of other architectures, each as ARCHITECTURE=FILE.
	Programs []string
}

// NoRemote is the [RemoteOptions.URL] or [ExecOptions.URL] that turns the server off, also the server of the tree.
const NoRemote = "none"

// workers has the connection of a builder to its workers. All flavours share it.
type workers struct {
	sync.Mutex
	server *worker.Server
}

// remoteCache is the one connection of a builder, for all flavours that it builds.
type remoteCache struct {
	mu     sync.Mutex
	opened bool
	shared *remote.Shared
	warn   func(line string) // of the build that runs
}
