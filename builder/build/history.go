package build

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/treewright/treewright/builder/download"
	"github.com/treewright/treewright/builder/engine"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/stage/commit"
)

// findHistory finds the commits that the build goes on from, and says what is
// damaged there. Archives of history are unpacked below a directory.
func (p *Prepared) findHistory(ctx context.Context, unpacked string, client *download.Client, rewind, unsigned bool, r reporter) error {
	// Results of commit steps have the same objects.
	spares, err := p.Cache.Store.Having("repo")
	if err != nil {
		return err
	}
	names, ok := commit.Names(p.Subject.Spec)
	if !ok {
		return nil
	}
	names.Keys, names.Unsigned = p.signing.keys, unsigned
	p.History, err = ostree.FindHistory(ctx, names, p.Output.Public, unpacked, client, ostree.Lookout{
		Records: p.Output.Private, Spares: spares, Rewind: rewind,
		Slow: func(objects int) {
			if objects > 1000 {
				r.note("checking %d objects of the history that are new or were changed since the last check", objects)
			}
		},
	})
	if known := p.History.Checked; known != nil {
		if len(known.Mended) > 0 {
			r.note("%d damaged objects of %s were replaced by those of the cache: %s", len(known.Mended), p.History.From, ostree.Describe(known.Mended))
		}
		if len(known.Bad) > 0 {
			r.note("%d objects of %s are damaged: %s; this build makes them again if it can", len(known.Bad), p.History.From, ostree.Describe(known.Bad))
		}
	}
	return err
}

// made is the commit that the result of a commit step holds. A result that
// shares damaged objects with the published repository, by hard links, does not count as one:
// it is removed, and what is damaged made again.
func (p *Prepared) made(key string) string {
	if p.again {
		return p.History.Head
	}
	result, ok, err := p.Cache.Store.Get(key)
	if err != nil || !ok {
		return ""
	}
	if known := p.History.Checked; known != nil && known.Shares(filepath.Join(p.Cache.Store.Data(key), "repo")) {
		p.Cache.Store.LetGo(key)
		if gone, err := p.Cache.Store.Remove(key, time.Now()); err != nil || !gone {
			// Another build uses it; this one does not.
			_ = p.Cache.Store.Condemn(&layer.Damage{Key: key, Step: result.Step, Path: p.Cache.Store.Data(key), How: "shares damaged objects with the published repository"})
		}
		return ""
	}
	return result.Facts["commit"]
}

// fromTheFuture is the fault of packages that are newer than this machine's clock:
// the time of a commit is that of its newest package, and no build would go on
// from one that is ahead.
func (p *Prepared) fromTheFuture(out *engine.Outcome) error {
	if p.Subject.Spec.StageFeature("commit") == nil {
		return nil
	}
	var newest int64
	where := ""
	for id, r := range out.Results {
		// The others have it from those that fetch packages.
		if strings.HasPrefix(id, "packages/") && (r.Epoch > newest || r.Epoch == newest && id < where) {
			newest, where = r.Epoch, id
		}
	}
	if !ostree.AheadOfClock(newest) {
		return nil
	}
	return fmt.Errorf("nothing is published: a package of this build (step %s) has the build date %s, but this machine's clock shows %s; "+
		"if the clock is wrong, set it; otherwise the package's build date is in the future, and the package must be left out", where, ostree.InWords(newest), ostree.InWords(time.Now().Unix()))
}
