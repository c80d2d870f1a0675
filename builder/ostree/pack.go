package ostree

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Pack writes the repository in the directory repo as a .tar.gz whose
// bytes depend on the repository's content alone. The objects are compressed
// already, so gzip only frames them.
func Pack(ctx context.Context, repo string, out io.Writer) error {
	gz, err := gzip.NewWriterLevel(out, gzip.NoCompression)
	if err != nil {
		return err
	}
	tw := tar.NewWriter(gz)
	if err := packParts(ctx, repo, tw); err != nil {
		return err
	}
	return errors.Join(tw.Close(), gz.Close())
}

// packParts writes a repository's lasting parts, in the order of their names:
// config, objects, refs, the marks in state of commits that are not whole,
// summary.
func packParts(ctx context.Context, repo string, tw *tar.Writer) error {
	return filepath.WalkDir(repo, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		rel, err := filepath.Rel(repo, path)
		if err != nil {
			return err
		}
		switch rel {
		case ".lock":
			return nil
		case "tmp":
			return writeDirectory(tw, rel, fs.SkipDir)
		}
		if d.IsDir() {
			return writeDirectory(tw, rel, nil)
		}
		return writeFile(tw, path, rel)
	})
}

// packedTime is what all entries claim to be from: ostree pays no heed to the
// times of a repository's files.
var packedTime = time.Unix(0, 0)

func writeDirectory(tw *tar.Writer, rel string, then error) error {
	head := &tar.Header{Typeflag: tar.TypeDir, Name: "./" + rel + "/", Mode: 0o755, ModTime: packedTime, Format: tar.FormatGNU}
	if rel == "." {
		head.Name = "./"
	}
	if err := tw.WriteHeader(head); err != nil {
		return err
	}
	return then
}

func writeFile(tw *tar.Writer, path, rel string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	head := &tar.Header{Typeflag: tar.TypeReg, Name: "./" + rel, Size: info.Size(), Mode: 0o644, ModTime: packedTime, Format: tar.FormatGNU}
	if err := tw.WriteHeader(head); err != nil {
		return err
	}
	_, err = io.Copy(tw, f)
	return err
}
