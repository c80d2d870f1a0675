package publish

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/sign"
)

// pool stages the packages that machines of the commit may add later. Packages get their names at once, like objects of a
// repository: the name is the SHA-256, and a pool lists the package only when all is published. The pool itself is a directory, and
// replaces the earlier pool atomically, so that its index and the signature of the index always belong together.
func (f *Finished) pool(ctx context.Context, p *publication, output Output) error {
	step := f.poolStep()
	if step == nil || f.Pools == nil || f.Manifest.Commit == "" {
		return nil
	}
	key := f.Graph.Key(step.ID)
	data, err := f.Store.Open(key)
	if err != nil {
		return err
	}
	r, _, err := f.Store.Get(key)
	if err != nil {
		return err
	}
	to := filepath.Join(output.Pools(), f.Manifest.Commit)
	before := func(name string) []byte {
		have, _ := os.ReadFile(filepath.Join(to, name)) // a file that cannot be read is made again
		return have
	}
	made, err := f.Pools.PoolIndex(f.Manifest.Commit, f.Pool, time.Unix(r.Epoch, 0), before)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(output.Pools(), distro.PoolFiles), 0o755); err != nil {
		return err
	}
	if err := f.poolFiles(made, data, key, output); err != nil {
		return err
	}
	if err := f.signPool(ctx, made, before); err != nil {
		return err
	}
	return p.directory(made.Files, to)
}

// poolStep is the step that has downloaded the packages of the pool; nil without one.
func (f *Finished) poolStep() *plan.Step {
	for _, s := range f.Graph.Steps() {
		if slices.ContainsFunc(s.Artifacts, func(a plan.Artifact) bool { return a.Kind == plan.PoolArtifact }) {
			return s
		}
	}
	return nil
}

// poolFiles puts packages in place that are missing or damaged.
func (f *Finished) poolFiles(made distro.PoolIndex, data, key string, output Output) error {
	placed := false
	for name, p := range made.Packages {
		to := filepath.Join(output.Pools(), filepath.FromSlash(name))
		if sum, err := layer.HashFile(to); err == nil && sum == p.SHA256 {
			continue
		}
		from := filepath.Join(data, filepath.FromSlash(p.From))
		if sum, err := layer.HashFile(from); err != nil || sum != p.SHA256 {
			return errors.Join(f.check(key, f.Store.Verify), fmt.Errorf("%s is not the package with the SHA-256 %s: %w", from, p.SHA256, err))
		}
		tmp := beside(to)
		if err := os.RemoveAll(tmp); err != nil {
			return err
		}
		if os.Link(from, tmp) != nil { // on another file system
			if err := layer.Copy(from, tmp); err != nil {
				return err
			}
		}
		if err := layer.Sync(tmp); err != nil {
			return err
		}
		if err := rename([]staged{{tmp, to}}); err != nil {
			return err
		}
		placed = true
	}
	if !placed {
		return nil
	}
	return layer.Sync(output.Pools())
}

// signPool adds the signatures to the files of a pool: a separate one, which machines check, and the text with a signature in it, which apt
// prefers, if the signer can make that. Valid signatures stay.
func (f *Finished) signPool(ctx context.Context, made distro.PoolIndex, before func(name string) []byte) error {
	names := f.Pools.PoolNames()
	text := made.Files[names.Signed]
	if f.Signer == nil || text == nil {
		return nil
	}
	what := "pool of commit " + f.Manifest.Commit
	clear := before(names.Clear)
	if clear != nil {
		if _, err := f.Signer.Keys.VerifyClear(ctx, text, clear); err != nil {
			clear = nil
		}
	}
	if clear == nil {
		var err error
		if clear, err = f.Signer.Clear(ctx, what, text); err != nil {
			return err
		}
	}
	if clear != nil {
		made.Files[names.Clear] = clear
	}
	if have := before(names.Detached); have != nil {
		if _, err := f.Signer.Keys.Verify(ctx, text, have); err == nil {
			made.Files[names.Detached] = have
			return nil
		}
	}
	signature, err := f.Signer.Sign(ctx, what, text)
	if err != nil {
		return err
	}
	made.Files[names.Detached] = sign.Armoured(sign.SignatureText, signature)
	return nil
}
