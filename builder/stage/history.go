package stage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/treewright/treewright/builder/account"
	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/download"
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

// commitNames are the names that follow from the commit feature's parameters.
type commitNames struct {
	OSName, Ref, Repo, Archive string
	archiveURL                 string
	firstCommit                bool
}

func namesOf(spec *compose.Spec) (commitNames, bool) {
	f := spec.StageFeature("commit")
	if f == nil {
		return commitNames{}, false
	}
	value := func(name string) string { return spec.Parameters[f.Name][name].String() }
	arch := spec.Flavour.Distribution.Arch
	n := commitNames{OSName: value("os_name"), Ref: value("ref"), archiveURL: strings.TrimRight(value("archive_url"), "/")}
	n.Repo = n.OSName + "-repo-" + arch
	n.Archive = "ostree-" + n.OSName + "-repo-" + arch + ".tar.gz"
	n.firstCommit = value("first_commit") == "true"
	return n, true
}

// Lookout says how the objects of a history are looked at.
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

// FindHistory finds the newest commit of a flavour: in the repository of an
// earlier build below output, else in a tarball there, else in the archive
// that archive_url names, which is downloaded below cache. That there is none
// is believed only when nothing is there locally and either no archive is
// configured, or it answers 404 and first_commit allows a first commit. All
// else is an error: history must not be lost because a network is down.
// Whatever is found is looked at object by object, see [CheckRepository], and
// has to be as new as what was there before.
func FindHistory(ctx context.Context, spec *compose.Spec, output, cache string, client *download.Client, look Lookout) (History, error) {
	names, ok := namesOf(spec)
	if !ok {
		return History{}, nil
	}
	h, err := names.find(ctx, output, cache, client, look)
	if err == nil {
		err = names.believe(h, look)
	}
	return h, err
}

func (n commitNames) find(ctx context.Context, output, cache string, client *download.Client, look Lookout) (History, error) {
	dir := filepath.Join(output, n.Repo)
	repo, err := openRepository(dir)
	if err == nil {
		return n.readHistory(ctx, repo, "the repository "+dir, look)
	}
	if !errors.Is(err, fs.ErrNotExist) || exists(dir) {
		return History{}, fmt.Errorf("look for history: %w", err)
	}
	tarball := filepath.Join(output, n.Archive)
	if exists(tarball) {
		return n.unpackHistory(ctx, tarball, cache, "the tarball "+tarball, look)
	}
	if n.archiveURL == "" {
		return History{}, nil
	}
	source := n.archiveURL + "/" + n.Archive
	tarball, err = fetchArchive(ctx, client, source, cache)
	if errors.Is(err, errNoArchive) {
		if n.firstCommit {
			return History{}, nil
		}
		return History{}, fmt.Errorf("look for history: %s: %w; %s", source, err, allowFirst)
	}
	if err != nil {
		return History{}, fmt.Errorf("look for history: %w", err)
	}
	defer os.Remove(tarball)
	return n.unpackHistory(ctx, tarball, cache, source, look)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// allowFirst says how to begin a history where there is an archive.
const allowFirst = "if this is to be the first commit, set first_commit = true for the feature that stands for the commit stage"

// readHistory reads what a repository that was found holds. That it has other
// refs but not the flavour's own is like a 404: where there is an archive, it
// takes the same word to begin.
func (n commitNames) readHistory(ctx context.Context, repo repository, from string, look Lookout) (History, error) {
	h := History{Repo: repo.dir, From: from}
	var err error
	if h.Others, err = repo.refs(); err != nil {
		return h, fmt.Errorf("look for history: %w", err)
	}
	if len(h.Others) == 0 {
		return h, fmt.Errorf("look for history: %s has no ref at all: it is not whole; restore it, or remove it to begin a new history", from)
	}
	if h.Checked, err = CheckRepository(ctx, repo.dir, RecordPath(look.Records, repo.dir), look.Spares, look.Slow); err != nil {
		return h, fmt.Errorf("look for history: %w", err)
	}
	h.Head = h.Others[n.Ref]
	delete(h.Others, n.Ref)
	if h.Head == "" {
		if n.archiveURL != "" && !n.firstCommit {
			return h, fmt.Errorf("look for history: %s has no commit of %s; %s", from, n.Ref, allowFirst)
		}
		return h, nil
	}
	c, err := repo.commit(h.Head)
	if err != nil {
		return h, fmt.Errorf("look for history: %w; put the whole object there from a copy of the repository (a backup, a mirror, a tarball of it)", err)
	}
	h.Recipe, h.Parent = c.Metadata[recipeKey], c.Parent
	if h.Accounts, err = repo.ledger(h.Head); err != nil {
		return h, fmt.Errorf("look for history: %w", err)
	}
	if h.Before, err = repo.ledger(h.Parent); errors.Is(err, fs.ErrNotExist) {
		err = nil // the history was cut off there
	}
	if err != nil {
		return h, fmt.Errorf("look for history: %w", err)
	}
	return h, nil
}

// digest identifies what a commit with the given parent takes over.
func (h History) digest(ref, parent string) string {
	if len(h.Others) == 0 {
		return "ostree:" + parent
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%s %s\n", ref, parent)
	for _, other := range sortedKeys(h.Others) {
		fmt.Fprintf(sum, "%s %s\n", other, h.Others[other])
	}
	return "ostree:" + hex.EncodeToString(sum.Sum(nil))
}
