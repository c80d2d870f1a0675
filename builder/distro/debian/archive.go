package debian

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
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

// Archive is a private apt root, apart from the host's packages and sources: the
// signed indices of one [distro.Source], or, as a union, the indices of several.
type Archive struct {
	// Source is the only source, or a union's first one.
	Source    distro.Source
	Arch      string
	MoreArchs []string
	Policy    Policy
	// parts are the archives of a union; see [union].
	parts []*Archive

	root    string // the directory of the source's files
	results string // remembered closures
	client  *download.Client
	// stall is the longest time without progress of apt.
	stall time.Duration
	// offline reports that the archive is not contacted, and armoured that the source's
	// keyring is text.
	offline, armoured bool
	// ready makes apt's own binary form of the indices.
	ready sync.Once
	// look makes beside: the archives that the sources have, but do not ask for.
	look   sync.Once
	beside []*Archive
	// release is the SHA-256 of the InRelease file in use, and dir the private
	// root with the indices that belong to it.
	release, dir string
	// date is the date in the release file.
	date time.Time
	// held are packages of a lock; see [Archive.Holding].
	held []distro.Archived
	// alone reports that the archive does not have sources; see [Policy.Only].
	alone   bool
	mu      sync.Mutex
	index   *Index
	files   []map[string]distro.Archived // see [Archive.chosen]
	archsOf map[int]map[string][]string  // see [Archive.architecturesOf]
}

// Open makes the indices of an archive current and returns it. With Offline set,
// it is an error if an earlier call did not leave indices.
func (p Policy) Open(ctx context.Context, o distro.ArchiveOptions) (distro.Archive, error) {
	open := p.openUnion
	if s := o.Sources[0]; len(o.Sources) == 1 && len(s.Packages) == 0 && s.Priority == 0 {
		open = p.openArchive
	}
	a, err := open(ctx, o)
	if err != nil {
		return nil, err
	}
	return a, nil
}

// openArchive opens the archive of the first source.
func (p Policy) openArchive(ctx context.Context, o distro.ArchiveOptions) (*Archive, error) {
	src := o.Sources[0]
	if _, err := os.Stat(src.Keyring); err != nil {
		return nil, missingKeyring(src, err)
	}
	keyring, err := treefs.ReadFile(src.Keyring, treefs.MostKeyring)
	if err != nil {
		return nil, fmt.Errorf("read keyring: %w", err)
	}
	if src.CA != "" {
		if err := trust(o.Client, src.CA, src.URLs()...); err != nil {
			return nil, &distro.SourceError{Source: src.Name, Field: distro.CAField, Summary: "Not a certificate", Detail: strings.ToUpper(err.Error()[:1]) + err.Error()[1:] + "."}
		}
	}
	// Every user can see the name, so the password in the URL is masked.
	parts := []string{event.Mask(src.URL), src.Suite, o.Arch, strings.Join(src.Components, ","), string(keyring)}
	if len(src.Architectures)+len(o.MoreArchs) > 0 {
		parts = append(parts, strings.Join(src.Architectures, ","), strings.Join(o.MoreArchs, ","))
	}
	id := sha256.Sum256([]byte(strings.Join(parts, "\n")))
	a := &Archive{
		Source: src, Arch: o.Arch, MoreArchs: o.MoreArchs, Policy: p, client: o.Client, stall: aptStall, offline: o.Offline, armoured: armoured(keyring),
		root:    filepath.Join(o.Cache, "apt", strings.Trim(strings.ReplaceAll(src.Suite, "/", "_"), "._")+"-"+o.Arch+"-"+hex.EncodeToString(id[:4])),
		results: filepath.Join(o.Cache, "resolved"),
	}
	return a, a.open(ctx, o.Offline)
}

// aptStall is the longest time without progress of apt. apt has its own time limits of
// half a minute for each connection, which end most waits earlier.
const aptStall = 3 * time.Minute

func (a *Archive) open(ctx context.Context, offline bool) error {
	for _, dir := range []string{a.root, a.results} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("prepare apt root: %w", err)
		}
	}
	unlock, err := layer.LockFile(ctx, filepath.Join(a.root, "lock"), func() {
		a.client.Say("waiting for another build, which reads the package indices of " + a.Source.String())
	})
	if err != nil {
		return err
	}
	defer unlock()
	// The time shows which indices were used last, when space is freed.
	now := time.Now()
	_ = os.Chtimes(filepath.Join(a.root, "lock"), now, now)
	have := a.use()
	if offline {
		if have == nil {
			return &distro.SourceError{
				Source: a.Source.Name, Field: distro.URLsField, Value: a.Source.URL, Summary: "Archive that was not read yet", Outside: true,
				Detail: fmt.Sprintf("Offline, there are no indices of %s from an earlier build: run once without --offline.", a.Source),
			}
		}
		return a.offered()
	}
	current, err := a.current(ctx, have)
	if err == nil && !current {
		err = a.update(ctx)
	}
	if err != nil {
		return a.explained(ctx, err)
	}
	return a.offered()
}

// task describes the opening of an archive.
func (a *Archive) task() string {
	return "read the package indices of " + a.Source.String()
}

// Releases returns the release files that the indices belong to, in the order of
// the sources.
func (a *Archive) Releases() []distro.Release {
	if a.parts == nil {
		return []distro.Release{{Source: a.Source, SHA256: a.release, Date: a.date}}
	}
	var all []distro.Release
	for _, p := range a.parts {
		all = append(all, p.Releases()...)
	}
	return all
}

// inRelease is a copy of the release file, or a union's list of them. It
// selects the indices in use: the indices in the directory that has its hash in its name.
func (a *Archive) inRelease() string { return filepath.Join(a.root, "InRelease") }

// use takes the indices that the release file names into use, and returns that
// file, or nil without indices.
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
	if r, ok := readRelease(have); ok {
		a.date = r.Date
	}
	return have
}

const releasePrefix = "release-"

func (a *Archive) releaseDir(release string) string {
	return filepath.Join(a.root, releasePrefix+release[:16])
}

// current reports whether the mirror still has the release file that we have. It
// only compares bytes that apt has verified before, so no signature is checked.
// If the mirror does not answer, this is an error. If the mirror refuses the request,
// apt reports the reason later.
func (a *Archive) current(ctx context.Context, have []byte) (same bool, err error) {
	if !strings.HasPrefix(a.Source.URL, "http://") && !strings.HasPrefix(a.Source.URL, "https://") || a.Policy.asksForProxies() {
		return false, nil
	}
	err = a.client.Try(ctx, a.task(), func() error {
		body, err := a.client.Open(ctx, a.Source.URL+"/"+a.Source.Dir()+"InRelease")
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

// prepared returns the result of parsed. Meanwhile apt puts the indices into its own binary form (apt-cache(8)), once for
// all runs that follow. If it fails, the next run makes it, or reports the error.
func (a *Archive) prepared(ctx context.Context) (*Index, error) {
	var wg sync.WaitGroup
	wg.Go(func() { a.ready.Do(func() { _, _ = a.apt(ctx, "apt-cache", "gencaches", "-q") }) })
	index, err := a.parsed(ctx)
	wg.Wait()
	return index, err
}

func (a *Archive) parsed(ctx context.Context) (*Index, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.index != nil {
		return a.index, nil
	}
	text, err := a.text(ctx)
	if err != nil {
		return nil, err
	}
	a.index, err = ParseIndex(text)
	return a.index, err
}

// text is the package index, all components together.
func (a *Archive) text(ctx context.Context) ([]byte, error) {
	// With release information apt would read all indices. Without it, apt also lists those that
	// the archive does not have.
	out, err := a.apt(ctx, "apt-get", "indextargets", "--no-release-info", "--format", "$(FILENAME)", "Created-By: Packages")
	if err != nil {
		return nil, fmt.Errorf("find package indices: %w", err)
	}
	var text []byte
	for _, path := range strings.Fields(string(out)) {
		data, err := os.ReadFile(filepath.Join(a.dir, "lists", filepath.Base(path)))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read package index: %w", err)
		}
		text = append(append(text, data...), '\n')
	}
	return text, nil
}
