package added

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/download"
	"github.com/treewright/treewright/builder/extend"
)

// pool gets the index of the pool of a commit, and checks its signature. It returns nil if there is no pool: then all packages come from the sources of the
// machine.
func (l *local) pool(ctx context.Context, commit string) (*build.HerePool, error) {
	// Machines also make images because the server does not answer, so there is one try.
	once := l.Timing
	once.Pauses = nil
	from, err := l.pools(once)
	if from == nil || err != nil {
		return nil, err
	}
	index, err := readPool(ctx, from, commit)
	switch {
	case errors.Is(err, errAbsent) && l.bundle == "":
		return nil, nil
	case errors.Is(err, errAbsent):
		return nil, fmt.Errorf("the bundle %s has no packages for commit %.12s: `treewright bundle` puts them there if its server publishes a pool", l.bundle, commit)
	case err != nil && l.bundle == "" && ctx.Err() == nil:
		l.Say(fmt.Sprintf("the pool of commit %.12s at %s cannot be read, so all packages come from the sources in /etc/apt: %v", commit, from, err))
		return nil, nil
	case err != nil:
		return nil, err
	}
	names := build.PoolNames()
	if err := l.authentic(ctx, l.d, fmt.Sprintf("the pool of commit %.12s", commit), index.files[names.Signed], index.files[names.Detached]); err != nil {
		return nil, err
	}
	dir := filepath.Join(l.scratch, extend.PoolDir)
	if err := index.write(dir); err != nil {
		return nil, err
	}
	l.from = from.String()
	if from, err = l.pools(l.Timing); err != nil {
		return nil, err
	}
	return &build.HerePool{Dir: dir, Bring: func(ctx context.Context, packages []build.PoolFile) error {
		l.Say(fmt.Sprintf("%s, %s, from the pool at %s", packageCount(len(packages)), amountOf(sizeOf(packages)), from))
		return copyPooled(ctx, from, packages, dir)
	}}, nil
}

// pools returns the place that can have the pool; nil if the machine knows no such place.
func (l *local) pools(t download.Timing) (pools, error) {
	if l.bundle != "" {
		return dirPools{filepath.Join(l.bundle, extend.PoolDir)}, nil
	}
	base, err := l.baseOf(l.d)
	if base == "" || err != nil {
		return nil, err
	}
	return serverPools{l.filesAt(base, extend.PoolDir, t)}, nil
}

// sizeOf is the size of packages in bytes.
func sizeOf(packages []build.PoolFile) (n int64) {
	for _, p := range packages {
		n += p.Size
	}
	return n
}
