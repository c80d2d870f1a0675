package ostree

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/treewright/treewright/builder/format"
	"github.com/treewright/treewright/builder/treefs"
)

// Repository is an OSTree repository in archive mode on this disk, read and
// copied without libostree: when a build is planned there are no tools yet.
type Repository struct{ dir string }

// At is the repository in dir, of which nobody asks whether it is one.
func At(dir string) Repository { return Repository{dir} }

// Open opens the repository in dir; fs.ErrNotExist if there is no
// such folder. A folder that is no archive repository is an error.
func Open(dir string) (Repository, error) {
	if _, err := os.Stat(dir); err != nil {
		return Repository{}, err
	}
	config, err := os.ReadFile(filepath.Join(dir, "config"))
	if err != nil {
		return Repository{}, fmt.Errorf("%s is no OSTree repository: %w", dir, err)
	}
	for _, line := range strings.Split(string(config), "\n") {
		if key, value, ok := strings.Cut(line, "="); ok && strings.TrimSpace(key) == "mode" {
			switch strings.TrimSpace(value) {
			case "archive", "archive-z2":
				return Repository{dir}, nil
			}
			return Repository{}, fmt.Errorf("%s is an OSTree repository of mode %s, not archive", dir, strings.TrimSpace(value))
		}
	}
	return Repository{}, fmt.Errorf("%s is no OSTree repository: its config has no mode", dir)
}

// Head returns the checksum that a ref points to, "" if there is no such ref.
func (r Repository) Head(ref string) (string, error) {
	raw, err := os.ReadFile(filepath.Join(r.dir, "refs/heads", filepath.FromSlash(ref)))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read ref %s: %w", ref, err)
	}
	sum := strings.TrimSpace(string(raw))
	if len(sum) != 64 || strings.Trim(sum, "0123456789abcdef") != "" {
		return "", fmt.Errorf("%s: ref %s is damaged: it says %q", r.dir, ref, sum)
	}
	return sum, nil
}

// object is the path of an object below the repository.
func object(sum, kind string) string { return "objects/" + sum[:2] + "/" + sum[2:] + "." + kind }

// read reads a metadata object ("commit", "dirtree") and checks it.
func (r Repository) read(sum, kind string) ([]byte, error) {
	raw, err := os.ReadFile(filepath.Join(r.dir, object(sum, kind)))
	if err != nil {
		return nil, fmt.Errorf("%s is damaged: %s %s: %w", r.dir, kind, sum, err)
	}
	if got := sha256.Sum256(raw); hex.EncodeToString(got[:]) != sum {
		return nil, fmt.Errorf("%s is damaged: the object of %s %s has the checksum %x", r.dir, kind, sum, got)
	}
	return raw, nil
}

// Commit reads and checks a commit object.
func (r Repository) Commit(sum string) (*format.OSTreeCommit, error) {
	raw, err := r.read(sum, "commit")
	if err != nil {
		return nil, err
	}
	c, err := format.ParseOSTreeCommit(raw)
	if err != nil {
		return nil, fmt.Errorf("commit %s: %w", sum, err)
	}
	return c, nil
}

// descends says whether commit sum is ancestor itself or has it among its
// ancestors. Where history was cut off (ostree prune) it ends.
func (r Repository) descends(sum, ancestor string) (bool, error) {
	for sum != "" {
		if sum == ancestor {
			return true, nil
		}
		c, err := r.Commit(sum)
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		sum = c.Parent
	}
	return false, nil
}

// How an object is placed in another repository.
type placing int

const (
	linked placing = iota // a hard link, where that is possible
	copied
)

// place puts an object of r into the repository to, in place of what may be
// there. Objects that lead to others, and those without which nothing can be
// planned, are copied: what damages one file then leaves another to mend it
// from. All others are most of a repository; two names for one file take no room.
func (r Repository) place(name string, to Repository, how placing) error {
	from, target := filepath.Join(r.dir, objectPath(name)), filepath.Join(to.dir, objectPath(name))
	if how == copied {
		return to.take(from, objectPath(name))
	}
	err := os.Link(from, target)
	switch {
	case errors.Is(err, fs.ErrNotExist) && treefs.Exists(from) && !treefs.Exists(filepath.Dir(target)):
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		return r.place(name, to, how)
	case errors.Is(err, fs.ErrExist):
		tmp := filepath.Join(to.dir, stagedFiles, "object")
		if err := os.MkdirAll(filepath.Dir(tmp), 0o755); err != nil {
			return err
		}
		if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := os.Link(from, tmp); err == nil {
			return os.Rename(tmp, target)
		}
	case err == nil:
		return nil
	}
	return to.take(from, objectPath(name))
}

// stagedFiles is where files lie that are to get their names in a repository by
// rename. What an interrupted build leaves there means nothing to anybody.
const stagedFiles = "tmp/treewright"

// take copies a file to the name name in the repository, over what is there.
func (r Repository) take(from, name string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	dir, target := filepath.Join(r.dir, stagedFiles), filepath.Join(r.dir, name)
	if err := errors.Join(os.MkdirAll(dir, 0o755), os.MkdirAll(filepath.Dir(target), 0o755)); err != nil {
		return err
	}
	out, err := os.CreateTemp(dir, "file-")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name())
	_, err = io.Copy(out, in)
	if err := errors.Join(err, out.Chmod(0o644), out.Close()); err != nil {
		return err
	}
	return os.Rename(out.Name(), target)
}

// copyObjects puts into the repository to, which has none of them, the objects
// that refs lead to. It leaves out what is in skip, what is not there, and what
// only that leads to, and returns a list of the first two.
func (r Repository) copyObjects(to Repository, refs map[string]string, skip map[string]bool) ([]Damage, error) {
	w := r.reach(refs, nil)
	how := w.howToPlace(refs)
	lost := w.lost
	for _, name := range w.objects {
		if skip[name] {
			lost = append(lost, Damage{Object: name, Commit: w.needs[name], Reason: "damaged"})
			continue
		}
		err := r.place(name, to, how(name))
		if errors.Is(err, fs.ErrNotExist) {
			lost = append(lost, Damage{Object: name, Commit: w.needs[name], Reason: Gist(err)})
			continue
		}
		if err != nil {
			return nil, err
		}
	}
	for _, sum := range w.partial {
		if err := to.take(filepath.Join(r.dir, partialMark(sum)), partialMark(sum)); err != nil {
			return nil, err
		}
	}
	return lost, os.RemoveAll(filepath.Join(to.dir, stagedFiles))
}

// howToPlace says how each object of a repository is placed elsewhere.
func (w *reach) howToPlace(refs map[string]string) func(name string) placing {
	accounts := map[string]bool{}
	if len(w.objects) > 0 {
		for _, head := range refs {
			for _, name := range w.repo.accountObjects(head) {
				accounts[name] = true
			}
		}
	}
	return func(name string) placing {
		if accounts[name] || !strings.HasSuffix(name, ".filez") {
			return copied
		}
		return linked
	}
}

// refs returns all refs with their checksums; a repository that lacks the
// folder for them has none.
func (r Repository) refs() (map[string]string, error) {
	heads := filepath.Join(r.dir, "refs/heads")
	refs := map[string]string{}
	err := filepath.WalkDir(heads, func(path string, d fs.DirEntry, err error) error {
		if path == heads && errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || d.IsDir() {
			return err
		}
		ref, err := filepath.Rel(heads, path)
		if err != nil {
			return err
		}
		ref = filepath.ToSlash(ref)
		refs[ref], err = r.Head(ref)
		return err
	})
	return refs, err
}

// SetSummaryTime gives the repository's summary a time, in seconds since 1970.
func (r Repository) SetSummaryTime(stamp int64) error {
	file := filepath.Join(r.dir, "summary")
	summary, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := format.SetSummaryTime(summary, stamp); err != nil {
		return err
	}
	return os.WriteFile(file, summary, 0o644)
}
