package buildtest

import (
	"context"
	"errors"
	"io"

	"github.com/treewright/treewright/builder/remote"
)

// emptyCache is a remote cache without results. It does not keep those that it gets.
type emptyCache struct{}

func openRemote(remote.Access, string) (remote.Cache, error) { return emptyCache{}, nil }

// Has implements [remote.Cache].
func (emptyCache) Has(context.Context, []string) (map[string]bool, error) { return nil, nil }

// Get implements [remote.Cache].
func (emptyCache) Get(context.Context, string, func(io.Reader) error) error { return remote.ErrMissing }

// Put implements [remote.Cache].
func (emptyCache) Put(_ context.Context, _ string, write func(io.Writer) error) error {
	return write(io.Discard)
}

// Close implements [remote.Cache].
func (emptyCache) Close() error { return nil }

// noWorkers is a server without workers, so that all steps run on this machine.
type noWorkers struct{}

func openExec(remote.Access) (remote.Executor, error) { return noWorkers{}, nil }

// Run implements [remote.Executor].
func (noWorkers) Run(context.Context, *remote.Action) (*remote.Done, error) {
	return nil, errors.New("the server does not have workers")
}

// Fetch implements [remote.Executor].
func (noWorkers) Fetch(context.Context, remote.Digest, func(io.Reader) error) error {
	return remote.ErrMissing
}

// Close implements [remote.Executor].
func (noWorkers) Close() error { return nil }
