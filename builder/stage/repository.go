package stage

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
)

// repository is an OSTree repository in archive mode on this disk, read and
// copied without libostree: when a build is planned there are no tools yet.
type repository struct{ dir string }

// openRepository opens the repository in dir; fs.ErrNotExist if there is no
// such folder. A folder that is no archive repository is an error.
func openRepository(dir string) (repository, error) {
	if _, err := os.Stat(dir); err != nil {
		return repository{}, err
	}
	config, err := os.ReadFile(filepath.Join(dir, "config"))
	if err != nil {
		return repository{}, fmt.Errorf("%s is no OSTree repository: %w", dir, err)
	}
	for _, line := range strings.Split(string(config), "\n") {
		if key, value, ok := strings.Cut(line, "="); ok && strings.TrimSpace(key) == "mode" {
			switch strings.TrimSpace(value) {
			case "archive", "archive-z2":
				return repository{dir}, nil
			}
			return repository{}, fmt.Errorf("%s is an OSTree repository of mode %s, not archive", dir, strings.TrimSpace(value))
		}
	}
	return repository{}, fmt.Errorf("%s is no OSTree repository: its config has no mode", dir)
}

// head returns the checksum that a ref points to, "" if there is no such ref.
func (r repository) head(ref string) (string, error) {
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
func (r repository) read(sum, kind string) ([]byte, error) {
	raw, err := os.ReadFile(filepath.Join(r.dir, object(sum, kind)))
	if err != nil {
		return nil, fmt.Errorf("%s is damaged: %s %s: %w", r.dir, kind, sum, err)
	}
	if got := sha256.Sum256(raw); hex.EncodeToString(got[:]) != sum {
		return nil, fmt.Errorf("%s is damaged: the object of %s %s has the checksum %x", r.dir, kind, sum, got)
	}
	return raw, nil
}

// commit reads and checks a commit object.
func (r repository) commit(sum string) (*format.OSTreeCommit, error) {
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
func (r repository) descends(sum, ancestor string) (bool, error) {
	for sum != "" {
		if sum == ancestor {
			return true, nil
		}
		c, err := r.commit(sum)
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

// copyObjects links, or where that is not possible copies, the objects of r
// that the repository to lacks.
func (r repository) copyObjects(to repository) error {
	from, dest := filepath.Join(r.dir, "objects"), filepath.Join(to.dir, "objects")
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(dest, rel)
		if d.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		// Every object's name is its hash, so one that is there is the same.
		if _, err := os.Lstat(target); err == nil {
			return nil
		}
		return LinkOrCopy(path, target)
	})
}

// LinkOrCopy makes target a hard link to path, or a copy on another file
// system, which appears by rename.
func LinkOrCopy(path, target string) error {
	err := os.Link(path, target)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return nil
	}
	return replaceFile(path, target)
}

// PublishRepository brings the published repository dest up to made, for the
// refs that made has. Objects first, refs next, the summary last, each by
// rename: whoever pulls meanwhile sees the old commit or the new one. A ref
// whose newest published commit is not part of made's history is refused, as
// that history would be lost.
func PublishRepository(made, dest string) error {
	from, err := openRepository(made)
	if err != nil {
		return fmt.Errorf("publish repository: %w", err)
	}
	refs, err := from.refs()
	if err != nil {
		return fmt.Errorf("publish repository: %w", err)
	}
	if exists(dest) {
		return from.publish(refs, dest)
	}
	// The first time it appears as a whole: half a repository would count as a
	// damaged history.
	tmp := filepath.Join(filepath.Dir(dest), "."+filepath.Base(dest)+".new")
	if err := os.RemoveAll(tmp); err != nil {
		return fmt.Errorf("publish repository: %w", err)
	}
	if err := from.publish(refs, tmp); err != nil {
		return err
	}
	if err := os.Rename(tmp, dest); err != nil {
		return fmt.Errorf("publish repository: %w", err)
	}
	return nil
}

func (r repository) publish(refs map[string]string, dest string) error {
	if err := os.MkdirAll(filepath.Join(dest, "objects"), 0o755); err != nil {
		return fmt.Errorf("publish repository: %w", err)
	}
	to := repository{dest}
	for ref, sum := range refs {
		have, err := to.head(ref)
		if err != nil {
			return fmt.Errorf("publish repository: %w", err)
		}
		if have == "" {
			continue
		}
		ok, err := r.descends(sum, have)
		if err != nil {
			return fmt.Errorf("publish repository: %w", err)
		}
		if !ok {
			return fmt.Errorf("publish repository: %s has commit %s as the newest of %s, which commit %s does not descend from; "+
				"its history would be lost. Was it changed during the build?", dest, have, ref, sum)
		}
	}
	if err := r.copyObjects(to); err != nil {
		return fmt.Errorf("publish repository: %w", err)
	}
	for _, dir := range []string{"tmp", "state", "extensions", "refs/heads", "refs/mirrors", "refs/remotes"} {
		if err := os.MkdirAll(filepath.Join(dest, dir), 0o755); err != nil {
			return fmt.Errorf("publish repository: %w", err)
		}
	}
	files := []string{"config"}
	for ref := range refs {
		files = append(files, "refs/heads/"+ref)
	}
	for _, name := range append(files, "summary") {
		if err := replaceFile(filepath.Join(r.dir, name), filepath.Join(dest, name)); err != nil {
			return fmt.Errorf("publish repository: %w", err)
		}
	}
	return nil
}

// refs returns all refs with their checksums; a repository that lacks the
// folder for them has none.
func (r repository) refs() (map[string]string, error) {
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
		refs[ref], err = r.head(ref)
		return err
	})
	return refs, err
}

// replaceFile copies a file to another name, over what is there, by rename.
func replaceFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	out, err := os.CreateTemp(filepath.Dir(to), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name())
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	if err := errors.Join(out.Chmod(0o644), out.Close()); err != nil {
		return err
	}
	return os.Rename(out.Name(), to)
}

// LinkTree copies a folder with hard links for its files (copies, on another
// file system). The folder to must not exist.
func LinkTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		info, err := d.Info()
		if err != nil {
			return err
		}
		switch info.Mode().Type() {
		case fs.ModeDir:
			if err := os.Mkdir(target, info.Mode().Perm()); err != nil {
				return err
			}
			return os.Chmod(target, info.Mode())
		case fs.ModeSymlink:
			link, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(link, target)
		}
		return LinkOrCopy(path, target)
	})
}
