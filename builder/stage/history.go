package stage

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/treewright/treewright/builder/account"
	"github.com/treewright/treewright/builder/compose"
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

// FindHistory finds the newest commit of a flavour: in the repository of an
// earlier build below output, else in a tarball there, else in the archive
// that archive_url names, which is downloaded below cache. That there is none
// is believed only when nothing is there locally and either no archive is
// configured, or it answers 404 and first_commit allows a first commit. All
// else is an error: history must not be lost because a network is down.
func FindHistory(ctx context.Context, spec *compose.Spec, output, cache string, client *http.Client) (History, error) {
	names, ok := namesOf(spec)
	if !ok {
		return History{}, nil
	}
	dir := filepath.Join(output, names.Repo)
	repo, err := openRepository(dir)
	if err == nil {
		return names.readHistory(repo, "the repository "+dir)
	}
	if !errors.Is(err, fs.ErrNotExist) || exists(dir) {
		return History{}, fmt.Errorf("look for history: %w", err)
	}
	tarball := filepath.Join(output, names.Archive)
	if exists(tarball) {
		return names.unpackHistory(tarball, cache, "the tarball "+tarball)
	}
	if names.archiveURL == "" {
		return History{}, nil
	}
	source := names.archiveURL + "/" + names.Archive
	tarball, err = download(ctx, client, source, cache)
	if errors.Is(err, errNoArchive) {
		if names.firstCommit {
			return History{}, nil
		}
		return History{}, fmt.Errorf("look for history: %s: %w; %s", source, err, allowFirst)
	}
	if err != nil {
		return History{}, fmt.Errorf("look for history: %w", err)
	}
	defer os.Remove(tarball)
	return names.unpackHistory(tarball, cache, source)
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
func (n commitNames) readHistory(repo repository, from string) (History, error) {
	h := History{Repo: repo.dir, From: from}
	var err error
	if h.Others, err = repo.refs(); err != nil {
		return h, fmt.Errorf("look for history: %w", err)
	}
	if len(h.Others) == 0 {
		return h, fmt.Errorf("look for history: %s has no ref at all: it is not whole; restore it, or remove it to begin a new history", from)
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
		return h, fmt.Errorf("look for history: %w", err)
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

var errNoArchive = errors.New("the archive is not there (404)")

// download fetches source into a file below cache.
func download(ctx context.Context, client *http.Client, source, cache string) (string, error) {
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	out, err := os.CreateTemp(cache, ".archive-*")
	if err != nil {
		return "", err
	}
	defer out.Close()
	remove := func(err error) (string, error) {
		os.Remove(out.Name())
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, source, nil)
	if err != nil {
		return remove(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		var unwrapped *url.Error
		if errors.As(err, &unwrapped) {
			err = unwrapped.Err
		}
		return remove(fmt.Errorf("download %s: %w", source, err))
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return remove(errNoArchive)
	default:
		return remove(fmt.Errorf("download %s: the server answers %s", source, resp.Status))
	}
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(out, h), resp.Body)
	if err != nil {
		return remove(fmt.Errorf("download %s: after %d bytes: %w", source, n, err))
	}
	if err := checkSum(ctx, client, source, hex.EncodeToString(h.Sum(nil))); err != nil {
		return remove(err)
	}
	return out.Name(), nil
}

// checkSum compares with the SHA256SUMS beside source, if the server has one.
func checkSum(ctx context.Context, client *http.Client, source, got string) error {
	i := strings.LastIndex(source, "/")
	list, name := source[:i]+"/SHA256SUMS", source[i+1:]
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, list, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("download %s: %w", list, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusNotFound {
		return nil
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("download %s: the server answers %s", list, resp.Status)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("download %s: %w", list, err)
	}
	for _, line := range strings.Split(string(text), "\n") {
		sum, file, ok := strings.Cut(line, " ")
		if ok && strings.TrimLeft(file, " *") == name && sum != got {
			return fmt.Errorf("download %s: wrong checksum: SHA-256 is %s, but %s says %s", source, got, list, sum)
		}
	}
	return nil
}

// unpackHistory unpacks a repository tarball below cache and reads it.
func (n commitNames) unpackHistory(tarball, cache, from string) (History, error) {
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return History{}, fmt.Errorf("look for history: %w", err)
	}
	sum, err := digestFile(tarball)
	if err != nil {
		return History{}, fmt.Errorf("look for history: %w", err)
	}
	dir := filepath.Join(cache, sum)
	if !exists(dir) {
		tmp, err := os.MkdirTemp(cache, ".unpack-*")
		if err != nil {
			return History{}, fmt.Errorf("look for history: %w", err)
		}
		defer os.RemoveAll(tmp)
		if err := unpack(tarball, tmp); err != nil {
			return History{}, fmt.Errorf("look for history: %s is not whole: %w", from, err)
		}
		if err := os.Rename(tmp, dir); err != nil && !exists(dir) {
			return History{}, fmt.Errorf("look for history: %w", err)
		}
	}
	repo, err := openRepository(dir)
	if err != nil {
		return History{}, fmt.Errorf("look for history: %s: %w", from, err)
	}
	return n.readHistory(repo, from)
}

func digestFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// unpack unpacks files and folders of a .tar.gz, up to its proper end, below
// dir. Whatever else is in there, or would land outside, is an error.
func unpack(tarball, dir string) error {
	f, err := os.Open(tarball)
	if err != nil {
		return err
	}
	defer f.Close()
	gz, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	tr := tar.NewReader(gz)
	for {
		head, err := tr.Next()
		if errors.Is(err, io.EOF) {
			// The checksum at the very end is read here.
			_, err = io.Copy(io.Discard, gz)
			return err
		}
		if err != nil {
			return err
		}
		name := filepath.Clean(strings.TrimPrefix(head.Name, "./"))
		switch head.Typeflag {
		case tar.TypeDir:
			err = root.MkdirAll(name, 0o755)
		case tar.TypeReg:
			err = unpackFile(root, name, tr)
		default:
			err = fmt.Errorf("%s is neither file nor folder", head.Name)
		}
		if err != nil {
			return err
		}
	}
}

func unpackFile(root *os.Root, name string, r io.Reader) error {
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	out, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, r); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}
