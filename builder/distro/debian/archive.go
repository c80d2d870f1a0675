package debian

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
)

var errNoSpace = syscall.ENOSPC

// DefaultKeyring is what release files must be signed by unless a flavour
// names another keyring; Debian's package debian-archive-keyring brings it.
const DefaultKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// Source names an archive's part.
type Source struct {
	Mirror     string // URL, no trailing slash
	Suite      string
	Arch       string
	Components []string
	Keyring    string // absolute path
}

// Archive is a private apt root: the signed indices of one [Source], apart
// from the host's packages and sources.
type Archive struct {
	Source Source
	Policy Policy

	root    string // the private root
	results string // remembered closures
	// release is the SHA-256 of the InRelease file in use.
	release string
	mu      sync.Mutex
	index   *Index
}

// OpenArchive makes the indices of src current and returns them. They are kept
// below cache. With offline set, indices of an earlier call are used unasked,
// and having none is an error.
func OpenArchive(ctx context.Context, cache string, src Source, policy Policy, offline bool) (*Archive, error) {
	if _, err := os.Stat(src.Keyring); err != nil {
		return nil, fmt.Errorf("keyring %s: %w (Debian's package debian-archive-keyring brings the usual one)", src.Keyring, errors.Unwrap(err))
	}
	keyring, err := os.ReadFile(src.Keyring)
	if err != nil {
		return nil, fmt.Errorf("read keyring: %w", err)
	}
	// A name that everybody can see tells nothing of a password.
	id := sha256.Sum256([]byte(strings.Join([]string{event.Mask(src.Mirror), src.Suite, src.Arch, strings.Join(src.Components, ","), string(keyring)}, "\n")))
	a := &Archive{
		Source: src, Policy: policy,
		root:    filepath.Join(cache, "apt", src.Suite+"-"+src.Arch+"-"+hex.EncodeToString(id[:4])),
		results: filepath.Join(cache, "resolved"),
	}
	for _, dir := range []string{"etc/apt/apt.conf.d", "etc/apt/preferences.d", "lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(a.root, dir), 0o755); err != nil {
			return nil, fmt.Errorf("prepare apt root: %w", err)
		}
	}
	if err := os.MkdirAll(a.results, 0o755); err != nil {
		return nil, fmt.Errorf("prepare apt root: %w", err)
	}
	unlock, err := layer.LockFile(filepath.Join(a.root, "lock"), func() {})
	if err != nil {
		return nil, err
	}
	defer unlock()
	have, _ := os.ReadFile(a.inRelease())
	if offline {
		if have == nil {
			return nil, fmt.Errorf("offline, and there are no indices of %s %s from an earlier build", src.Mirror, src.Suite)
		}
	} else if have == nil || !a.current(ctx, have) {
		if err := a.update(ctx); err != nil {
			return nil, err
		}
		if have, err = os.ReadFile(a.inRelease()); err != nil {
			return nil, fmt.Errorf("read release file: %w", err)
		}
	}
	sum := sha256.Sum256(have)
	a.release = hex.EncodeToString(sum[:])
	return a, nil
}

// Release returns the SHA-256 of the release file that the indices belong to.
func (a *Archive) Release() string { return a.release }

func (a *Archive) inRelease() string { return filepath.Join(a.root, "InRelease") }

// current says whether the mirror still has the release file that we have. It
// only compares bytes that apt has verified before, so no signature is checked.
// Any doubt means no; then apt says what is the matter.
func (a *Archive) current(ctx context.Context, have []byte) bool {
	if !strings.HasPrefix(a.Source.Mirror, "http://") && !strings.HasPrefix(a.Source.Mirror, "https://") {
		return false
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.Source.Mirror+"/dists/"+a.Source.Suite+"/InRelease", nil)
	if err != nil {
		return false
	}
	resp, err := a.Policy.Client().Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return false
	}
	got, err := io.ReadAll(io.LimitReader(resp.Body, int64(len(have))+1))
	return err == nil && bytes.Equal(got, have)
}

// update fetches and verifies the indices. The copy of the release file is
// written last: it says that everything else is there.
func (a *Archive) update(ctx context.Context) error {
	if err := os.Remove(a.inRelease()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("update indices: %w", err)
	}
	if _, err := a.apt(ctx, "apt-get", "update", "-qq", "-o", "APT::Update::Error-Mode=any"); err != nil {
		return fmt.Errorf("read the package indices of %s %s: %w", a.Source.Mirror, a.Source.Suite, err)
	}
	released, err := layer.Glob(filepath.Join(a.root, "lists"), "*_dists_"+strings.ReplaceAll(a.Source.Suite, "/", "_")+"_InRelease")
	if err != nil || len(released) != 1 {
		return fmt.Errorf("update indices: apt left %d InRelease files for %s, not one", len(released), a.Source.Suite)
	}
	data, err := os.ReadFile(released[0])
	if err != nil {
		return fmt.Errorf("update indices: %w", err)
	}
	tmp := a.inRelease() + ".new"
	if err := os.WriteFile(tmp, data, 0o644); err != nil {
		return fmt.Errorf("update indices: %w", err)
	}
	return os.Rename(tmp, a.inRelease())
}

// Index returns the parsed package index, all components together.
func (a *Archive) Index(ctx context.Context) (*Index, error) {
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
		data, err := os.ReadFile(filepath.Join(a.root, "lists", filepath.Base(path)))
		if err != nil {
			return nil, fmt.Errorf("read package index: %w", err)
		}
		text = append(append(text, data...), '\n')
	}
	a.index, err = ParseIndex(text)
	return a.index, err
}
