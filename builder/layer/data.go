package layer

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// dataNames are the names in the directory of a result or a draft that PackData packs.
var dataNames = []string{"data", indexFile}

// PackData writes the data of a result and their index to w, as one tar archive. The archive does not have the record of the result, so
// equal data give equal bytes. PackData returns an error if the result is damaged.
func (s *Store) PackData(w io.Writer, key string) error {
	if err := s.demand(key); err != nil {
		return fmt.Errorf("pack data: %w", err)
	}
	return (&packer{dir: s.dir(key), only: dataNames}).pack(w)
}

// PackData is [Store.PackData] for a draft. r is the result that the draft will be stored as. The data must not change after this call.
func (d *Draft) PackData(w io.Writer, r Result) error {
	index, err := d.index(r)
	if err == nil {
		err = os.WriteFile(filepath.Join(d.Dir, indexFile), formatIndex(index), 0o644)
	}
	if err != nil {
		return fmt.Errorf("pack data: %w", err)
	}
	return (&packer{dir: d.Dir, only: dataNames}).pack(w)
}

// Fill reads an archive of PackData into an empty draft. r is the result that the draft will be stored as. If the data do not agree with
// their index or with r, Fill returns an error, and the draft is empty again.
func (d *Draft) Fill(from io.Reader, r Result) error {
	dir, err := d.unfold(from)
	if err == nil {
		err = d.take(dir, &r, "")
	}
	if err != nil {
		return fmt.Errorf("unpack data: %w", errors.Join(err, d.clear()))
	}
	return nil
}

// clear empties a draft that could not be filled.
func (d *Draft) clear() error {
	for _, dir := range []string{filepath.Join(d.Dir, "packed"), d.Data} {
		if err := RemoveAll(dir); err != nil {
			return err
		}
	}
	return plainDir(d.Data)
}

// PutAs is [Store.Put] with a key that can differ from the key of the draft.
func (s *Store) PutAs(d *Draft, key string, r Result) (Result, error) {
	d.key = key
	return s.Put(d, r)
}

// PackFiles writes the files in the directory dir as one tar archive: names, modes, contents and symbolic links, as in the digest of
// a snapshot of sources. Owners, times, extended attributes and hard links are left out.
func PackFiles(w io.Writer, dir string) error {
	return (&packer{dir: dir, bare: true}).pack(w)
}

// UnpackFiles unpacks an archive of PackFiles into a new directory dir, which must not exist.
func UnpackFiles(r io.Reader, dir string) error {
	if err := plainDir(dir); err != nil {
		return fmt.Errorf("unpack files: %w", err)
	}
	return unpack(r, dir)
}

// DataSum returns the digest and size of the packed data of a result. The store keeps them next to the result, so only the first call packs
// the data.
func (s *Store) DataSum(key string) (DataSum, error) {
	if raw, err := os.ReadFile(filepath.Join(s.dir(key), dataSumFile)); err == nil {
		if d, ok := parseDataSum(raw); ok {
			return d, nil
		}
	}
	d, err := SumOf(func(w io.Writer) error { return s.PackData(w, key) })
	if err == nil {
		s.renew(key, dataSumFile, d.format())
	}
	return d, err
}
