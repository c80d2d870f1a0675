package ostree

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/format"
	"github.com/treewright/treewright/builder/objects"
)

// Repository is an OSTree repository in archive mode on this disk, read and
// copied without libostree: the tools do not exist yet when a build is planned.
type Repository struct {
	dir string
	// bare reports the mode bare, in which machines have their repository; see [OpenToRead].
	bare bool
}

// At is the repository in dir. It is not checked whether it is one.
func At(dir string) Repository { return Repository{dir: dir} }

// Open opens the repository in dir; fs.ErrNotExist if there is no
// such directory. A directory that is not an archive repository is an error.
func Open(dir string) (Repository, error) {
	if _, err := os.Stat(dir); err != nil {
		return Repository{}, err
	}
	config, err := os.ReadFile(filepath.Join(dir, "config"))
	if err != nil {
		return Repository{}, fmt.Errorf("%s is not an OSTree repository: %w", dir, err)
	}
	switch mode := configMode(string(config)); mode {
	case "archive", "archive-z2":
		return Repository{dir: dir}, nil
	case "":
		return Repository{}, fmt.Errorf("%s is not an OSTree repository: its config has no mode", dir)
	default:
		return Repository{}, fmt.Errorf("%s is an OSTree repository of mode %s, not archive", dir, mode)
	}
}

// configMode is the mode in a repository's config.
func configMode(config string) string {
	for _, line := range strings.Split(config, "\n") {
		if key, value, ok := strings.Cut(line, "="); ok && strings.TrimSpace(key) == "mode" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// isRef reports whether a text can be the name of a ref.
func isRef(text string) bool { return text != "" && path.Clean("/"+text) == "/"+text }

// Head returns the checksum that a ref points to, "" if it does not exist.
func (r Repository) Head(ref string) (string, error) {
	if !isRef(ref) {
		return "", nil
	}
	raw, err := os.ReadFile(filepath.Join(r.dir, "refs/heads", filepath.FromSlash(ref)))
	// The beginning of a ref's name is a directory, and what follows a whole one is not there.
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.EISDIR) || errors.Is(err, unix.ENOTDIR) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read ref %s: %w", ref, err)
	}
	sum := strings.TrimSpace(string(raw))
	if !isSum(sum) {
		return "", fmt.Errorf("%s: ref %s is damaged: it has the content %q", r.dir, ref, sum)
	}
	return sum, nil
}

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

func (r Repository) metadata(sum, kind string) ([]byte, error) { return r.read(sum, kind) }

func (r Repository) parallel() int { return 1 }

func (r Repository) header(sum string) (*format.OSTreeFile, error) {
	if r.bare {
		return r.bareHeader(sum)
	}
	f, err := os.Open(filepath.Join(r.dir, object(sum, "filez")))
	if err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", r.dir, err)
	}
	defer f.Close()
	header, err := format.ReadOSTreeHeader(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name(), err)
	}
	return header, nil
}

func (r Repository) content(sum string, limit int64) ([]byte, error) {
	if r.bare {
		return r.bareContent(sum, limit)
	}
	f, err := os.Open(filepath.Join(r.dir, object(sum, "filez")))
	if err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", r.dir, err)
	}
	defer f.Close()
	content, err := format.ReadOSTreeFile(f, sum, limit)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name(), err)
	}
	return content, nil
}

// Has reports whether the repository has a commit, given by its whole checksum.
func (r Repository) Has(commit string) bool {
	if !isSum(commit) {
		return false
	}
	_, err := os.Lstat(filepath.Join(r.dir, object(commit, "commit")))
	return err == nil
}

// Commit reads and checks a commit object.
func (r Repository) Commit(sum string) (*format.OSTreeCommit, error) {
	return ReadCommit(r, sum)
}

// descends reports whether commit sum is ancestor itself or has it among its
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

// Refs returns all refs with their commits; a repository that lacks the
// directory for them has none.
func (r Repository) Refs() (map[string]string, error) {
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

// dirtree reads and checks a directory object.
func (r Repository) dirtree(sum string) (*objects.Dir, error) {
	raw, err := r.read(sum, "dirtree")
	if err != nil {
		return nil, err
	}
	return format.ParseOSTreeDir(raw)
}
