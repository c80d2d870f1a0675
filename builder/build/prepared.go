package build

import (
	"context"

	"github.com/hashicorp/hcl/v2"

	"github.com/treewright/treewright/builder/cache"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/lock"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/publish"
	"github.com/treewright/treewright/builder/sign"
	"github.com/treewright/treewright/builder/stage/planner"
)

// Prepared is a subject with its plan, ready to be run or shown. The layers and downloads of
// the plan stay in the cache until Close.
type Prepared struct {
	Subject  *Subject
	Packages planner.Packages
	// Releases are the release files that the packages are from, in the order of the
	// sources.
	Releases []distro.Release
	// Lock is the lock that the packages are from, nil for none.
	Lock    *lock.File
	History ostree.History
	Graph   *plan.Graph
	Output  publish.Output
	Cache   *cache.Cache

	distro  distro.Distro // the subject's
	archive distro.Archive
	secrets map[string][]byte // the content of the secrets that its steps name
	signing signing
	again   bool // see [Options.Again]
}

// signing is how a subject is signed: the keys that its machines have, and the signer.
type signing struct {
	keys *sign.Keyring // nil for none
	by   *sign.Options // nil without a signer
	at   hcl.Range     // the place of the signer in the flavour file
}

// Close releases the parts of the cache that the plan uses. The next build may need the space.
func (p *Prepared) Close() { p.Cache.Store.Close() }

// freeing reports that planning waits, with the reason.
func (r reporter) freeing() {
	r.say(event.Waiting, "space is being freed in the cache; this continues when that is done")
}

// planning keeps the results of do in the cache until the plan holds
// them itself.
func (p *Prepared) planning(ctx context.Context, sink event.Sink, do func() error) error {
	done, err := p.Cache.Planning(ctx, reporter{sink}.freeing)
	if err != nil {
		return err
	}
	defer done()
	if err := do(); err != nil {
		return err
	}
	paths := []string{p.History.Repo}
	for _, step := range p.Graph.Steps() {
		for _, src := range step.Sources {
			paths = append(paths, src.Path)
		}
	}
	return p.Cache.Rely(paths...)
}
