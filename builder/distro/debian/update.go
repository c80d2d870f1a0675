package debian

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/treewright/treewright/builder/download"
	"github.com/treewright/treewright/builder/layer"
)

// newPrefix begins the name of a directory of indices that are not whole yet.
const newPrefix = ".new-"

// update fetches and verifies the indices, in a directory of their own beside
// those in use, which stay in use unless all of it goes well. The caller holds
// the lock.
func (a *Archive) update(ctx context.Context) error {
	before := a.dir
	dir, err := a.begin(before)
	if err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	defer os.RemoveAll(dir)
	a.dir = dir
	argv := []string{"apt-get", "update", "-qq", "-o", "APT::Update::Error-Mode=any"}
	if len(a.Policy.Auth) > 0 {
		auth, err := authLinks(a.Policy.Auth)
		if err != nil {
			return err
		}
		defer os.RemoveAll(auth)
		argv = append(argv, "-o", "Dir::Etc::netrc=/dev/null", "-o", "Dir::Etc::netrcparts="+auth)
	}
	err = a.client.Try(ctx, a.task(), func() error { return kindOf(a.watched(ctx, argv...)) })
	if err != nil {
		return err
	}
	data, err := a.released(dir)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(data)
	final := a.releaseDir(hex.EncodeToString(sum[:]))
	// What is there is whole, has the same content, and may be in use.
	if _, err := os.Stat(final); errors.Is(err, fs.ErrNotExist) {
		if err := errors.Join(os.RemoveAll(filepath.Join(dir, "lists/partial")), layer.Sync(dir)); err != nil {
			return err
		}
		if err := os.Rename(dir, final); err != nil {
			return err
		}
	}
	if err := layer.WriteFile(a.inRelease(), data, 0o644); err != nil {
		return err
	}
	if a.use() == nil {
		return fmt.Errorf("the indices in %s are gone", final)
	}
	return a.sweep(before, final)
}

// begin makes a private root for apt with a copy of the indices before, so that
// apt fetches only what has changed.
func (a *Archive) begin(before string) (string, error) {
	dir, err := os.MkdirTemp(a.root, newPrefix)
	if err != nil {
		return "", err
	}
	for _, sub := range []string{"etc/apt/apt.conf.d", "etc/apt/preferences.d", "lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return dir, err
		}
	}
	if before == "" {
		return dir, nil
	}
	lists, err := os.ReadDir(filepath.Join(before, "lists"))
	if err != nil {
		return dir, err
	}
	for _, l := range lists {
		if l.Type().IsRegular() && l.Name() != "lock" {
			if err := layer.Copy(filepath.Join(before, "lists", l.Name()), filepath.Join(dir, "lists", l.Name())); err != nil {
				return dir, err
			}
		}
	}
	return dir, nil
}

// released returns the release file that apt has verified.
func (a *Archive) released(dir string) ([]byte, error) {
	// One whose signature is a file of its own has the other name.
	for _, name := range []string{"InRelease", "Release"} {
		found, err := layer.Glob(filepath.Join(dir, "lists"), "*_"+name)
		if err != nil || len(found) > 1 {
			return nil, fmt.Errorf("apt left %d %s files, not one", len(found), name)
		}
		if len(found) == 1 {
			return os.ReadFile(found[0])
		}
	}
	return nil, errors.New("apt left no release file")
}

// sweep removes what interrupted updates left, and old indices. Those before
// stay: another process may be reading them.
func (a *Archive) sweep(keep ...string) error {
	entries, err := os.ReadDir(a.root)
	if err != nil {
		return err
	}
	for _, e := range entries {
		path, old := filepath.Join(a.root, e.Name()), strings.HasPrefix(e.Name(), releasePrefix)
		for _, k := range keep {
			old = old && path != k
		}
		// The first of the others are what an earlier version kept here.
		if old || e.Name() == "lists" || e.Name() == "cache" || strings.HasPrefix(e.Name(), newPrefix) {
			if err := os.RemoveAll(path); err != nil {
				return err
			}
		}
	}
	return nil
}

// watched runs apt, and ends it when for too long nothing has come: its own time
// limits do not see a server that sends a byte now and then.
func (a *Archive) watched(ctx context.Context, argv ...string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		const least = 1 << 10 // bytes that count as something
		tick := time.NewTicker(min(time.Second, a.stall/4))
		defer tick.Stop()
		last, since := a.listed(), time.Now()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if now := a.listed(); now < last || now >= last+least {
				last, since = now, time.Now()
			} else if time.Since(since) > a.stall {
				cancel(fmt.Errorf("apt was ended, because almost no data came for %s", a.stall))
			}
		}
	}()
	_, err := a.apt(ctx, argv...)
	return err
}

// listed is the size of all indices, half ones too.
func (a *Archive) listed() (size int64) {
	for _, dir := range []string{"lists", "lists/partial"} {
		entries, err := os.ReadDir(filepath.Join(a.dir, dir))
		if err != nil {
			continue
		}
		for _, e := range entries {
			if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
				size += info.Size()
			}
		}
	}
	return size
}

var (
	// aptPassing is what apt says of trouble that passes.
	aptPassing = regexp.MustCompile(`Could not connect|Unable to connect|Connection (failed|timed out|refused|reset)|Temporary failure resolving|` +
		`Error reading from server|Read error|Could not handshake|almost no data came|\b(408|425|429|500|502|503|504)  `)
	// aptLasting is what it says of trouble that does not.
	aptLasting = regexp.MustCompile(`\b(401|403|404|410|451)  |(does not have|no longer has) a Release file|signature|is (not|no longer) signed|NO_PUBKEY|expired|is not valid yet|[Cc]ertificate|Could not resolve|No space left`)
)

// kindOf says by apt's words whether an error may pass; see [download.Client.Try].
// What it does not know is doubtful: most of it comes from a mirror that is just
// being brought up to date.
func kindOf(err error) error {
	switch {
	case err == nil:
		return nil
	case aptLasting.MatchString(err.Error()):
		return download.Permanent(err)
	case aptPassing.MatchString(err.Error()):
		return err
	}
	return download.Doubtful(err)
}
