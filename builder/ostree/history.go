package ostree

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"

	"github.com/treewright/treewright/builder/account"
	"github.com/treewright/treewright/builder/sign"
)

// History is where a flavour's commits stand before a build.
type History struct {
	// Repo is the repository that holds them, absolute; "" if there is none,
	// and the build begins a history.
	Repo string
	// Head is the newest commit of the flavour's ref, "" if there is none.
	Head string
	// Recipe is what the newest commit was made from, and Parent its parent.
	Recipe, Parent string
	// Accounts are the numbers that accounts were given up to the newest commit,
	// Before those up to its parent.
	Accounts, Before account.Ledger
	// Others are the refs besides the flavour's own, with their commits.
	Others map[string]string
	// Checked is what is known of the repository's objects; nil if there is none.
	Checked *Checked
	// From says in words where the history was found.
	From string
}

// RecipeKey is the key of a commit's metadata that has its recipe: the digest of
// all that the commit was made from but its parent. By it a later build knows its
// own work again.
const RecipeKey = "treewright.recipe"

// Names say which history a system has, and where it is looked for.
type Names struct {
	// OSName is what OSTree calls the system (its stateroot), and Ref the ref that
	// machines follow.
	OSName, Ref string
	// Repo and Archive are the names of the repository in the output, and of the
	// tarball of it.
	Repo, Archive string
	// ArchiveURL is where others' tarball is, without a slash at the end; "" if
	// there is none.
	ArchiveURL string
	// FirstCommit allows a history to begin though there is an archive.
	FirstCommit bool
	// Keys are those that the history of an archive must be signed by; nil for none.
	// Unsigned accepts one that is not signed.
	Keys     *sign.Keyring
	Unsigned bool
}

// Lookout describes how the objects of a history are looked at.
type Lookout struct {
	// Records is the directory that keeps what is known of those of the output.
	Records string
	// Spares are repositories that may have whole ones where some are damaged.
	Spares []string
	// Rewind takes a history that was set back.
	Rewind bool
	// Slow is called if any must be read, with how many.
	Slow func(objects int)
}

// RecordPath is where a repository's objects are recorded below the directory
// records.
func RecordPath(records, repository string) string {
	return filepath.Join(records, filepath.Base(repository)+".objects")
}

// readHistory reads what a repository that was found holds. That it has other
// refs but not the flavour's own is like a 404: where there is an archive, it
// takes the same word to begin.
func (n Names) readHistory(ctx context.Context, repo Repository, from string, look Lookout) (History, error) {
	h := History{Repo: repo.dir, From: from}
	var err error
	if h.Others, err = repo.Refs(); err != nil {
		return h, fmt.Errorf("look for history: %w", err)
	}
	if len(h.Others) == 0 {
		return h, fmt.Errorf("look for history: %s has no ref: it is incomplete; restore it, or remove it to begin a new history", from)
	}
	if h.Checked, err = Check(ctx, repo.dir, RecordPath(look.Records, repo.dir), look.Spares, look.Slow); err != nil {
		return h, fmt.Errorf("look for history: %w", err)
	}
	h.Head = h.Others[n.Ref]
	delete(h.Others, n.Ref)
	if h.Head == "" {
		if n.ArchiveURL != "" && !n.FirstCommit {
			return h, fmt.Errorf("look for history: %s has no commit of %s; %s", from, n.Ref, allowFirst)
		}
		return h, nil
	}
	c, err := repo.Commit(h.Head)
	if err != nil {
		return h, fmt.Errorf("look for history: %w; put the intact object there from a copy of the repository (a backup, a mirror, a tarball of it)", err)
	}
	h.Recipe, h.Parent = c.Metadata[RecipeKey], c.Parent
	if h.Accounts, err = repo.Accounts(h.Head); err != nil {
		return h, fmt.Errorf("look for history: %w", err)
	}
	if h.Before, err = repo.Accounts(h.Parent); errors.Is(err, fs.ErrNotExist) {
		err = nil // the history was cut off there
	}
	if err != nil {
		return h, fmt.Errorf("look for history: %w", err)
	}
	return h, nil
}

// Digest identifies what a commit of ref with the given parent takes over.
func (h History) Digest(ref, parent string) string {
	if len(h.Others) == 0 {
		return "ostree:" + parent
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%s %s\n", ref, parent)
	for _, other := range slices.Sorted(maps.Keys(h.Others)) {
		fmt.Fprintf(sum, "%s %s\n", other, h.Others[other])
	}
	return "ostree:" + hex.EncodeToString(sum.Sum(nil))
}

// allowFirst describes how to begin a history where there is an archive.
const allowFirst = "if this is to be the first commit, set first_commit to true for the feature that adds the commit stage"
