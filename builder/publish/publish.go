package publish

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/sign"
)

// SignVerity returns the content of the partition of a signature of a root hash
// ([verity.Partition]). have is what the published image has there now: if that is good, it is
// returned, and no key is asked for.
type SignVerity func(ctx context.Context, rootHash string, have []byte) ([]byte, error)

// Finished is a run whose artifacts are to be published.
type Finished struct {
	Store Store
	Graph *plan.Graph
	// Results are those of the run, by step, and Ran the steps that ran in it.
	Results  map[string]layer.Result
	Ran      map[string]bool
	Manifest *Manifest // says what was built; the rest is filled in
	// Checked is what is known of the published repository, nil for nothing.
	Checked *ostree.Checked
	// Names are those that users know; nil means [OwnDirectory].
	Names Names
	// SignVerity signs artifacts that have a place for a signature; nil without a key.
	SignVerity SignVerity
	// Unsigned publishes artifacts that have a place for a signature without one.
	Unsigned bool
	// Pools is how packages that machines may add are published; nil publishes none. Pool are these packages.
	Pools distro.Pools
	Pool  []distro.Archived
	// Say, if not nil, gets what a user should know: that an artifact was
	// changed since it was published, with how, and is put right; that a directory
	// is not for everybody.
	Say func(line string)
	// Signer signs what is published; nil publishes it unsigned. Keys are the public
	// keys that machines have, nil for none.
	Signer *sign.Signer
	Keys   *sign.Keyring
	// Signatures is filled in by Publish.
	Signatures Signatures
}

// Signatures are what became of signatures in a publication.
type Signatures struct {
	// Key is the key that signs; zero for a build without signatures.
	Key sign.Key
	// Repository is what was signed in the repository now.
	Repository ostree.Signed
}

// Publish puts artifacts into the public directory, their sums, and the manifest
// into the private one. Whatever takes space or may fail for another reason comes
// first: all of it is written beside its place, under names that are not used, and is on the
// disk. Then it gets its names: artifacts, the refs of repositories, the manifest
// last. So a failed build shows nothing, and one that is killed between two
// renames is put right by the next.
//
// Files and directories are copies: users may change them, and the
// cache stays as it is. A result that was to be copied and is damaged is
// condemned; the error is a *[layer.Damage] then, and the next run makes it again.
//
// Files that an earlier manifest lists and this one does not are removed; a
// repository never is.
func (f *Finished) Publish(ctx context.Context, output Output) (err error) {
	if err := output.Make(); err != nil {
		return err
	}
	if err := os.MkdirAll(output.Logs(), 0o755); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	before, err := ReadManifest(output)
	if err != nil {
		// It says only what to tidy up; what cannot be read is overwritten.
		before = nil
	}
	for _, dir := range []string{output.Public, output.Private, output.Logs(), output.Pools(), filepath.Join(output.Pools(), distro.PoolFiles)} {
		if err := sweepStaged(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("publish: %w", err)
		}
	}
	p := &publication{places: map[string]string{}}
	defer func() {
		err = errors.Join(explainFull(err, output.Public), p.discard())
	}()
	if err := f.stage(ctx, p, output); err != nil {
		return err
	}
	if err := f.pool(ctx, p, output); err != nil {
		return fmt.Errorf("publish the pool: %w", err)
	}
	if err := f.names().Publish(&Publication{Graph: f.Graph, Store: f.Store, Output: output, publication: p}); err != nil {
		return err
	}
	manifest, err := f.lists(ctx, p, output)
	if err != nil {
		return err
	}
	if err := p.show(manifest, output); err != nil {
		return err
	}
	// All is shown. What fails now costs the next build some work, and is not a reason
	// to call this one failed.
	for _, c := range p.copies {
		f.say(c.Note(c.known))
	}
	f.say(removeStale(before, f.Manifest, output))
	f.say(f.dropSignatures(output))
	f.say(f.prunePools(output))
	return nil
}

// lists stages the sums of the artifacts and the keys, signs sums and manifest, and returns the
// manifest.
func (f *Finished) lists(ctx context.Context, p *publication, output Output) ([]byte, error) {
	sums := f.Manifest.sums()
	if err := p.content(sums, filepath.Join(output.Public, SumsName)); err != nil {
		return nil, fmt.Errorf("write %s: %w", SumsName, err)
	}
	if err := f.sign(ctx, p, sums, filepath.Join(output.Public, SumsName)); err != nil {
		return nil, err
	}
	if f.Keys != nil {
		if err := p.content(f.Keys.Binary, filepath.Join(output.Public, KeysName)); err != nil {
			return nil, fmt.Errorf("write %s: %w", KeysName, err)
		}
	}
	f.Manifest.SignedBy = f.Signatures.Key.Fingerprint
	raw, err := json.MarshalIndent(f.Manifest, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write manifest: %w", err)
	}
	manifest := []byte(event.Mask(string(raw)) + "\n")
	return manifest, f.sign(ctx, p, manifest, output.Manifest())
}

// say tells of what failed when all was published.
func (f *Finished) say(err error) {
	if err != nil && f.Say != nil {
		f.Say(err.Error() + "; the build is published")
	}
}

// stage stages all artifacts and logs, and fills in the manifest.
func (f *Finished) stage(ctx context.Context, p *publication, output Output) error {
	for _, s := range f.Graph.Steps() {
		// Steps that nobody had to look at belong to the account as well, if
		// their results are still there.
		r, ok := f.Results[s.ID]
		if !ok {
			var err error
			if r, ok, err = f.Store.Get(f.Graph.Key(s.ID)); err != nil || !ok {
				continue
			}
		}
		f.Manifest.addStep(s, r, !f.Ran[s.ID])
		log, err := f.Store.Log(r.Key)
		if err == nil {
			err = p.content(log, filepath.Join(output.Logs(), plan.LogName(s.ID)))
		}
		if err != nil {
			return fmt.Errorf("publish log of %s: %w", s.ID, err)
		}
		for _, a := range s.Artifacts {
			if err := f.artifact(ctx, p, r, a, output); err != nil {
				return fmt.Errorf("publish %s: %w", a.Name, err)
			}
		}
	}
	return nil
}

// names are those of the run's artifacts.
func (f *Finished) names() Names {
	if f.Names == nil {
		return OwnDirectory{}
	}
	return f.Names
}

// sweepStaged removes what an interrupted build staged in a directory.
func sweepStaged(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		// layer.WriteFile's have something after it.
		if ok, _ := filepath.Match(".*.new*", e.Name()); ok {
			if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// show gives all that was staged its names, the manifest last.
func (p *publication) show(manifest []byte, output Output) error {
	if len(p.files)+len(p.repositories) == 0 {
		if have, err := os.ReadFile(output.Manifest()); err == nil && bytes.Equal(have, manifest) {
			return nil
		}
		if err := layer.WriteFile(output.Manifest(), manifest, 0o644); err != nil {
			return fmt.Errorf("write manifest: %w", err)
		}
		return nil
	}
	last := staged{beside(output.Manifest()), output.Manifest()}
	files := p.files
	p.files = append(p.files[:len(p.files):len(p.files)], last)
	if err := os.WriteFile(last.tmp, manifest, 0o644); err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	if err := p.sync(output); err != nil {
		return err
	}
	if err := rename(files); err != nil {
		return err
	}
	for _, r := range p.repositories {
		if err := r.Publish(); err != nil {
			return err
		}
	}
	p.repositories = nil
	if err := rename([]staged{last}); err != nil {
		return err
	}
	return layer.SyncDir(output.Private)
}

func (p *publication) sync(output Output) error {
	if err := layer.Sync(output.Public); err != nil {
		return err
	}
	return layer.Sync(output.Private)
}

// rename gives files their names. When it returns their directories are on the
// disk. What was there under the name of a directory is left in the place of what
// was staged, for [publication.discard].
func rename(files []staged) error {
	var dirs []string
	for _, f := range files {
		err := os.Rename(f.tmp, f.to)
		if errors.Is(err, fs.ErrExist) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.EISDIR) || errors.Is(err, syscall.ENOTEMPTY) {
			err = unix.Renameat2(unix.AT_FDCWD, f.tmp, unix.AT_FDCWD, f.to, unix.RENAME_EXCHANGE)
		}
		if err != nil {
			return fmt.Errorf("publish %s: %w", f.to, err)
		}
		if dir := filepath.Dir(f.to); !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	for _, dir := range dirs {
		if err := layer.SyncDir(dir); err != nil {
			return err
		}
	}
	return nil
}

// discard removes what was staged and is not shown.
func (p *publication) discard() error {
	var errs []error
	for _, f := range p.files {
		errs = append(errs, os.RemoveAll(f.tmp))
	}
	for _, r := range p.repositories {
		errs = append(errs, r.Discard())
	}
	return errors.Join(errs...)
}

// explainFull adds what to do about a disk without space.
func explainFull(err error, dir string) error {
	if !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EDQUOT) {
		return err
	}
	return fmt.Errorf("%w\nthe disk with %s is full: free space there, or choose another directory with --output DIR", err, dir)
}
