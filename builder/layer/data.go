package layer

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// dataNames are the names in a result's directory, or a draft's, that are packed for another machine that works on the data.
var dataNames = []string{"data", indexFile}

// PackData writes the data of a result to w as one tar archive, with their index. There is no record in it: equal data
// give equal bytes, whatever made them, and however long that took. A damaged result is not packed.
func (s *Store) PackData(w io.Writer, key string) error {
	if err := s.demand(key); err != nil {
		return fmt.Errorf("pack data: %w", err)
	}
	return (&packer{dir: s.dir(key), only: dataNames}).pack(w)
}

// PackData does the same for a draft, whose data do not change any more. r is to be its result.
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

// Fill fills a draft with data that PackData wrote, if they are what their index describes. r is to be its
// result.
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

// clear makes an empty draft again of one that could not be filled.
func (d *Draft) clear() error {
	for _, dir := range []string{filepath.Join(d.Dir, "packed"), d.Data} {
		if err := RemoveAll(dir); err != nil {
			return err
		}
	}
	return plainDir(d.Data)
}

// PutAs is [Store.Put] under another key than the draft was begun with.
func (s *Store) PutAs(d *Draft, key string, r Result) (Result, error) {
	d.key = key
	return s.Put(d, r)
}

// PackFiles writes the files in the directory dir as one tar archive, without owners and times: what a snapshot of sources is
// known by.
func PackFiles(w io.Writer, dir string) error {
	return (&packer{dir: dir, bare: true}).pack(w)
}

// UnpackFiles makes the files of an archive of PackFiles in dir, which must not exist.
func UnpackFiles(r io.Reader, dir string) error {
	if err := plainDir(dir); err != nil {
		return fmt.Errorf("unpack files: %w", err)
	}
	return unpack(r, dir)
}

// DataSum returns what identifies the packed data of a result. It packs the data only if that has not been done before.
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
