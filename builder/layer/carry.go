package layer

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"
)

// Pack writes a result to w as one tar archive: its data, its record, its
// index and its log. Facts about this disk stay here. The bytes are the same each time. A damaged
// result is not packed.
func (s *Store) Pack(w io.Writer, key string) error {
	if err := s.demand(key); err != nil {
		return fmt.Errorf("pack result: %w", err)
	}
	return (&packer{dir: s.dir(key), only: packedNames}).pack(w)
}

// demand returns an error if a result is missing or damaged.
func (s *Store) demand(key string) error {
	ok, why, err := s.Sound(key)
	if err == nil && !ok {
		err = errors.New("there is no result with the key " + key)
		if why != "" {
			err = errors.New(why)
		}
	}
	return err
}

// packedNames are the names in a result's directory that are packed. The others are about this disk, and may change at any time; so may
// the owners, modes and times of these files themselves.
var packedNames = []string{"data", resultFile, indexFile, "log"}

// Unpack reads a result that [Store.Pack] wrote, of another store say, and stores
// it. It must be of that key, and hold what its index says.
func (s *Store) Unpack(r io.Reader, key string) (Result, error) {
	d, err := s.Begin(key)
	if err != nil {
		return Result{}, err
	}
	result, err := d.unpack(r)
	if err != nil {
		err = fmt.Errorf("unpack result: %w", err)
	} else {
		result, err = s.Put(d, result)
	}
	if err != nil {
		err = d.ExplainFull(err)
		d.Abort()
		return Result{}, err
	}
	return result, nil
}

// unpack fills a draft.
func (d *Draft) unpack(r io.Reader) (Result, error) {
	from, err := d.unfold(r)
	if err != nil {
		return Result{}, err
	}
	raw, err := os.ReadFile(filepath.Join(from, resultFile))
	if err != nil {
		return Result{}, err
	}
	result, ok := unseal(raw)
	if !ok || result.Key != d.key {
		return Result{}, fmt.Errorf("this is not the result of key %s", d.key)
	}
	if err := d.take(from, &result, result.Index); err != nil {
		return Result{}, err
	}
	if err := os.Rename(filepath.Join(from, "log"), d.Log); !errors.Is(err, fs.ErrNotExist) {
		return result, err
	}
	return result, nil
}

// unfold unpacks an archive into a temporary directory of the draft, which is not stored with the result.
func (d *Draft) unfold(r io.Reader) (dir string, err error) {
	dir = filepath.Join(d.Dir, "packed")
	if err := plainDir(dir); err != nil {
		return "", err
	}
	if err := unpack(r, dir); err != nil {
		return "", err
	}
	// The reader checks its digest at the end.
	if n, err := io.Copy(io.Discard, r); err != nil {
		return "", err
	} else if n > 0 {
		return "", fmt.Errorf("%d bytes follow the end of the archive", n)
	}
	return dir, nil
}

// take moves unpacked data from a directory into the draft. It returns an error if the data do not agree with their index, or if the index
// does not have the artifacts of the result. index is the required digest of the index; "" accepts any index.
func (d *Draft) take(from string, of *Result, index string) error {
	text, err := os.ReadFile(filepath.Join(from, indexFile))
	if err != nil {
		return err
	}
	if index != "" && hashBytes(text) != index {
		return errors.New("the record has another digest of the index")
	}
	entries, err := parseIndex(text)
	if err != nil {
		return err
	}
	if err := checkArtifacts(of.Files, entries); err != nil {
		return err
	}
	damage := &Damage{Key: d.key, Step: of.Step}
	if _, err := compareAll(filepath.Join(from, "data"), entries, true, damage); err != nil {
		return err
	}
	if damage.How != "" {
		return damage
	}
	d.Layer = slices.ContainsFunc(entries, func(e entry) bool { return e.object != "" })
	if err := os.Remove(d.Data); err != nil {
		return err
	}
	return os.Rename(filepath.Join(from, "data"), d.Data)
}

// checkArtifacts is an error if the artifacts of a record are not those of its index: artifacts are published by the record, whose
// digests are not computed again when the result is stored.
func checkArtifacts(files []File, entries []entry) error {
	for _, f := range files {
		at := slices.IndexFunc(entries, func(e entry) bool { return e.path == filepath.Clean(f.Path) })
		if at >= 0 && entries[at].first != "" {
			at = slices.IndexFunc(entries, func(e entry) bool { return e.path == entries[at].first })
		}
		switch {
		case at < 0 || entries[at].kind() != unix.S_IFDIR && entries[at].kind() != unix.S_IFREG:
			return fmt.Errorf("the artifact %q is not a file of the result", f.Path)
		case f.SHA256 != "" && f.SHA256 != entries[at].sum:
			return fmt.Errorf("the artifact %q has not the SHA-256 of the index", f.Path)
		}
	}
	return nil
}
