package ostree

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/treewright/treewright/builder/layer"
)

// knownHead is the newest commit of a ref that this builder has seen or published.
type knownHead struct {
	// Archive is the URL of the archive, without a password; "" for a history
	// that is this builder's alone.
	Archive string `json:"archive,omitempty"`
	Ref     string `json:"ref"`
	Commit  string `json:"commit"`
}

// headsName is the file that keeps them. It is with the private files of the
// output, as it has to outlive the cache.
const headsName = "heads.json"

func readHeads(records string) ([]knownHead, error) {
	path := filepath.Join(records, headsName)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var heads []knownHead
	if err := json.Unmarshal(raw, &heads); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w; make sure that the history is the newest one, and remove the file", path, err)
	}
	return heads, nil
}

// archive is what the heads of a flavour's history are remembered by.
func (n Names) archive() string {
	u, err := url.Parse(n.ArchiveURL)
	if err != nil {
		return n.ArchiveURL
	}
	u.User = nil
	return u.String()
}

// RememberHeads notes the newest commits of a history, when they have
// been found or published. records is [Lookout.Records].
func RememberHeads(n Names, records string, h History) error {
	if h.Head == "" {
		return nil
	}
	before, err := readHeads(records)
	if err != nil {
		return err
	}
	var heads []knownHead
	add := func(ref, commit string) {
		heads = append(heads, knownHead{n.archive(), ref, commit})
	}
	add(n.Ref, h.Head)
	for _, ref := range slices.Sorted(maps.Keys(h.Others)) {
		add(ref, h.Others[ref])
	}
	for _, k := range before {
		if !slices.ContainsFunc(heads, func(now knownHead) bool { return now.Archive == k.Archive && now.Ref == k.Ref }) {
			heads = append(heads, k)
		}
	}
	if slices.Equal(heads, before) {
		return nil
	}
	raw, err := json.MarshalIndent(heads, "", "  ")
	if err != nil {
		return err
	}
	if err := layer.WriteFile(filepath.Join(records, headsName), append(raw, '\n'), 0o644); err != nil {
		return fmt.Errorf("remember the newest commit: %w", err)
	}
	return nil
}

// believe is the door that every history passes through before anything is made
// from it, wherever it was found: the local repository, a tarball, an archive;
// that there is none, too. It refuses histories that were set back and
// those from the future.
func (n Names) believe(h History, look Lookout) error {
	if look.Rewind {
		return n.notAhead(h)
	}
	heads, err := readHeads(look.Records)
	if err != nil {
		return fmt.Errorf("look for history: %w", err)
	}
	for _, k := range heads {
		if k.Archive != n.archive() {
			continue
		}
		now, own := h.Others[k.Ref], k.Ref == n.Ref
		if own {
			now = h.Head
		}
		switch {
		case now == k.Commit, now == "" && !own:
			continue
		case h.Repo == "" && n.ArchiveURL == "":
			continue // its owner has removed the only one there was
		case now == "":
			return fmt.Errorf("look for history: there is none, but commit %s of %s existed before; %s", k.Commit, k.Ref, bringBack)
		}
		ok, err := Repository{dir: h.Repo}.descends(now, k.Commit)
		if err != nil {
			return fmt.Errorf("look for history: %w", err)
		}
		if !ok {
			return fmt.Errorf("look for history: %s was set back: it has commit %s as the newest of %s, which does not descend from %s, which was the newest before. "+
				"A new commit would get a version that another commit has already; %s", h.From, now, k.Ref, k.Commit, bringBack)
		}
	}
	return n.notAhead(h)
}

const bringBack = "restore the newer history, or, if it was removed on purpose, give --allow-rewind once"

// clockTolerance is by how much a clock may be wrong.
const clockTolerance = 24 * time.Hour

// AheadOfClock reports whether a time, in seconds since 1970, is later than this
// machine's clock allows for.
func AheadOfClock(epoch int64) bool {
	return epoch > time.Now().Add(clockTolerance).Unix()
}

// notAhead refuses a history whose newest commit is from the future: the time of
// a commit is never before its parent's, so all later ones would be, too.
func (n Names) notAhead(h History) error {
	if h.Head == "" {
		return nil
	}
	c, err := Repository{dir: h.Repo}.Commit(h.Head)
	if err != nil {
		return fmt.Errorf("look for history: %w", err)
	}
	if AheadOfClock(c.Timestamp) {
		return fmt.Errorf("look for history: %s: the newest commit of %s, %s, has the date %s, but this machine's clock shows %s. "+
			"If the clock is wrong, set it; otherwise put a history there whose newest commit is not ahead of the clock",
			h.From, n.Ref, h.Head, InWords(c.Timestamp), InWords(time.Now().Unix()))
	}
	return nil
}

// InWords is a time, in seconds since 1970, for people.
func InWords(epoch int64) string { return time.Unix(epoch, 0).UTC().Format("2006-01-02 15:04 UTC") }
