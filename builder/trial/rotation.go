package trial

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/sign"
	"github.com/treewright/treewright/builder/stage/commit"
	"github.com/treewright/treewright/builder/vm"
)

// readNewKey returns the private key that takes over from the flavour's; nil if the image has
// no public keys. It is kept with the test's files, because the commits of the test have its
// public half: with a new one they would be made again by each test.
func (b *Bench) readNewKey(ctx context.Context) ([]byte, error) {
	if b.Keys() == nil {
		return nil, nil
	}
	file := filepath.Join(b.Dir, "new-key")
	private, err := os.ReadFile(file)
	if !errors.Is(err, fs.ErrNotExist) {
		return private, err
	}
	if private, err = sign.Generate(ctx, "The key of the next commit", "never"); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(b.Dir, 0o755); err != nil {
		return nil, err
	}
	return private, layer.WriteFile(file, private, 0o600)
}

// writeNext returns a function that writes what the next commit changes. If the image has
// public keys, it has the new one in their place.
func (b *Bench) writeNext(ctx context.Context) func(dir string) error {
	return func(dir string) error {
		if err := vm.WriteSuccessor(dir); err != nil {
			return err
		}
		file := filepath.Join(dir, "file.include", commit.KeysFile)
		if b.newKey == nil {
			return os.RemoveAll(file) // a test of the flavour when it had keys left it
		}
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		return signedBy(ctx, b.newKey, func(s *sign.Signer) error { return layer.WriteFile(file, s.Keys.Binary, 0o644) })
	}
}

// rotation is the change of the key that signs what machines follow. They have the old key
// when they run the commit from, and the new one alone when they run next. It also makes
// what an attacker can show them of earlier times.
type rotation struct {
	// repo is the repository that machines follow, and ref what they follow of it.
	repo, ref string
	// from, next and after follow one another.
	from, next, after build.Commit
	// publish publishes what is in a repository, signed.
	publish func(repo string, signer *sign.Signer) error
	// old and new call a function with the key's signer.
	old, new func(do func(*sign.Signer) error) error

	older state // with from as the newest commit, signed with the new key
}

// begin keeps the repository as it is with the commit from, signed with the new key. Machines
// do not see that.
func (r *rotation) begin() error {
	now, err := r.state(r.from)
	if err != nil {
		return err
	}
	if r.older, err = r.signed(r.new, r.from); err != nil {
		return err
	}
	return now.put(r.repo)
}

// offers makes what is offered to a machine that runs the commit next. A signature of the
// summary that was checked once is kept on the machine with that summary, so the two that do
// not belong together come before each is shown with its own.
func (r *rotation) offers() ([]vm.Offer, error) {
	running, err := r.signed(r.new, r.next)
	if err != nil {
		return nil, err
	}
	byOld, err := r.signed(r.old, r.after)
	if err != nil {
		return nil, err
	}
	byNew, err := r.signed(r.new, r.after)
	if err != nil {
		return nil, err
	}
	const older, nothing = "is chronologically older than current revision", "No update available"
	return []vm.Offer{
		r.refused("refuses-removed-key", byOld, strangeKey),
		r.refused("refuses-commit-of-removed-key", byNew.with(byOld, signaturesOf(r.after.Commit)), strangeKey),
		r.refused("refuses-mixed-summary", running.with(r.older, ostree.SummarySignature), "BAD signature"),
		r.refused("refuses-older-commit", r.older, older),
		r.refused("refuses-older-summary", running.with(r.older, summary, ostree.SummarySignature), older),
		{Name: "ignores-older-ref", Publish: r.put(running.with(r.older, refs+r.ref)), Pattern: nothing},
		{Name: "cannot-see-withheld-commit", Publish: r.put(running), Pattern: nothing},
		{Name: "takes-new-key", Publish: r.put(byNew), Takes: r.after.Commit},
	}, nil
}

// refused is a state that a machine has to refuse.
func (r *rotation) refused(name string, s state, pattern string) vm.Offer {
	return vm.Offer{Name: name, Publish: r.put(s), Fails: true, Pattern: pattern}
}

func (r *rotation) put(s state) func() error { return func() error { return s.put(r.repo) } }

// signed publishes a commit, signed by one of the keys, and returns how that looks.
func (r *rotation) signed(by func(func(*sign.Signer) error) error, c build.Commit) (state, error) {
	if err := by(func(s *sign.Signer) error { return r.publish(c.Repo, s) }); err != nil {
		return nil, err
	}
	return r.state(c)
}

// state is what leads machines to objects of a repository: files by their paths in it.
type state map[string][]byte

// Files of a repository.
const (
	refs    = "refs/heads/"
	summary = "summary"
)

// signaturesOf returns the path of the file with the signatures of a commit.
func signaturesOf(sum string) string { return ostree.ObjectPath(sum + ".commitmeta") }

// state reads the state of the repository whose newest commit is the given one.
func (r *rotation) state(c build.Commit) (state, error) {
	s := state{}
	for _, name := range []string{refs + r.ref, summary, ostree.SummarySignature, signaturesOf(c.Commit)} {
		content, err := os.ReadFile(filepath.Join(r.repo, filepath.FromSlash(name)))
		if err != nil {
			return nil, err
		}
		s[name] = content
	}
	return s, nil
}

// with returns the state with some files as another one has them.
func (s state) with(other state, names ...string) state {
	mixed := maps.Clone(s)
	for _, name := range names {
		mixed[name] = other[name]
	}
	return mixed
}

// put writes the files, each by a rename: they may be hard links to those of what was
// published.
func (s state) put(repo string) error {
	for name, content := range s {
		if err := layer.WriteFile(filepath.Join(repo, filepath.FromSlash(name)), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
