package debian

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/download"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/treefs"
)

// Archive is a private apt root: the signed indices of one [distro.Source], apart
// from the host's packages and sources.
type Archive struct {
	Source distro.Source
	Arch   string
	Policy Policy

	root    string // what is kept of the source
	results string // remembered closures
	client  *download.Client
	// stall is for how long apt may bring nothing.
	stall time.Duration
	// release is the SHA-256 of the InRelease file in use, and dir the private
	// root with the indices that belong to it.
	release, dir string
	mu           sync.Mutex
	index        *Index
}

// Open makes the indices of an archive current and returns it. With Offline set,
// having none of an earlier call is an error.
func (p Policy) Open(ctx context.Context, o distro.ArchiveOptions) (distro.Archive, error) {
	a, err := p.openArchive(ctx, o)
	if err != nil {
		return nil, err
	}
	return a, nil
}

func (p Policy) openArchive(ctx context.Context, o distro.ArchiveOptions) (*Archive, error) {
	src := o.Sources[0]
	if _, err := os.Stat(src.Keyring); err != nil {
		return nil, fmt.Errorf("keyring %s: %w (Debian's package debian-archive-keyring contains the usual one)", src.Keyring, errors.Unwrap(err))
	}
	keyring, err := treefs.ReadFile(src.Keyring, treefs.MostKeyring)
	if err != nil {
		return nil, fmt.Errorf("read keyring: %w", err)
	}
	// A name that everybody can see tells nothing of a password.
	id := sha256.Sum256([]byte(strings.Join([]string{event.Mask(src.URL), src.Suite, o.Arch, strings.Join(src.Components, ","), string(keyring)}, "\n")))
	a := &Archive{
		Source: src, Arch: o.Arch, Policy: p, client: o.Client, stall: aptStall,
		root:    filepath.Join(o.Cache, "apt", src.Suite+"-"+o.Arch+"-"+hex.EncodeToString(id[:4])),
		results: filepath.Join(o.Cache, "resolved"),
	}
	return a, a.open(ctx, o.Offline)
}

// aptStall is for how long apt may bring nothing. It has time limits of its own,
// of half a minute a connection, which end most waits before.
const aptStall = 3 * time.Minute

func (a *Archive) open(ctx context.Context, offline bool) error {
	for _, dir := range []string{a.root, a.results} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("prepare apt root: %w", err)
		}
	}
	unlock, err := layer.LockFile(ctx, filepath.Join(a.root, "lock"), func() {
		a.client.Say("waiting for another build, which reads the package indices of " + a.Source.URL + " " + a.Source.Suite)
	})
	if err != nil {
		return err
	}
	defer unlock()
	// By this it is known which indices were of use, when space is freed.
	now := time.Now()
	_ = os.Chtimes(filepath.Join(a.root, "lock"), now, now)
	have := a.use()
	if offline {
		if have == nil {
			return fmt.Errorf("offline, and there are no indices of %s %s from an earlier build", a.Source.URL, a.Source.Suite)
		}
		return nil
	}
	current, err := a.current(ctx, have)
	if err == nil && !current {
		err = a.update(ctx)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", a.task(), err)
	}
	return nil
}

// task says what opening an archive does.
func (a *Archive) task() string {
	return "read the package indices of " + a.Source.URL + " " + a.Source.Suite
}

// Release returns the SHA-256 of the release file that the indices belong to.
func (a *Archive) Release() string { return a.release }

// inRelease is a copy of the release file. It says which indices are in use:
// those in the directory that has its hash in its name.
func (a *Archive) inRelease() string { return filepath.Join(a.root, "InRelease") }

// use takes the indices that the release file names into use, and returns that
// file; nil if there are none.
func (a *Archive) use() []byte {
	have, err := os.ReadFile(a.inRelease())
	if err != nil {
		return nil
	}
	sum := sha256.Sum256(have)
	release := hex.EncodeToString(sum[:])
	dir := a.releaseDir(release)
	if _, err := os.Stat(filepath.Join(dir, "lists")); err != nil {
		return nil
	}
	a.release, a.dir = release, dir
	return have
}

const releasePrefix = "release-"

func (a *Archive) releaseDir(release string) string {
	return filepath.Join(a.root, releasePrefix+release[:16])
}

// current says whether the mirror still has the release file that we have. It
// only compares bytes that apt has verified before, so no signature is checked.
// That the mirror does not answer is an error; that it answers no is for apt to
// explain.
func (a *Archive) current(ctx context.Context, have []byte) (same bool, err error) {
	if !strings.HasPrefix(a.Source.URL, "http://") && !strings.HasPrefix(a.Source.URL, "https://") || a.Policy.asksForProxies() {
		return false, nil
	}
	err = a.client.Try(ctx, a.task(), func() error {
		body, err := a.client.Open(ctx, a.Source.URL+"/dists/"+a.Source.Suite+"/InRelease")
		if err != nil {
			return err
		}
		defer body.Close()
		got, err := io.ReadAll(io.LimitReader(body, int64(len(have))+1))
		same = have != nil && bytes.Equal(got, have)
		return err
	})
	if err == nil || ctx.Err() == nil && download.Lasting(err) {
		return same && err == nil, nil
	}
	return false, err
}

// Index returns the parsed package index, all components together.
func (a *Archive) Index(ctx context.Context) (distro.Index, error) {
	ix, err := a.parsed(ctx)
	if err != nil {
		return nil, err
	}
	return ix, nil
}

func (a *Archive) parsed(ctx context.Context) (*Index, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.index != nil {
		return a.index, nil
	}
	out, err := a.apt(ctx, "apt-get", "indextargets", "--format", "$(FILENAME)", "Created-By: Packages")
	if err != nil {
		return nil, fmt.Errorf("find package indices: %w", err)
	}
	var text []byte
	for _, path := range strings.Fields(string(out)) {
		data, err := os.ReadFile(filepath.Join(a.dir, "lists", filepath.Base(path)))
		if err != nil {
			return nil, fmt.Errorf("read package index: %w", err)
		}
		text = append(append(text, data...), '\n')
	}
	a.index, err = ParseIndex(text)
	return a.index, err
}
