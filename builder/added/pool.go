package added

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/download"
	"github.com/treewright/treewright/builder/layer"
)

// mostPoolIndex is the maximum size of a file of a pool's index in bytes.
const mostPoolIndex = 64 << 20

// pools is a place that has pools of commits, in the form of [extend.PoolDir].
type pools interface {
	fmt.Stringer
	// open opens a file, whose path is relative and slash-separated. The error is errAbsent if it does not exist.
	open(ctx context.Context, file string) (io.ReadCloser, error)
	// Try does work with this place, until it succeeds or another try does not help. what describes the work in messages.
	Try(ctx context.Context, what string, work func() error) error
}

// dirPools are pools in a directory.
type dirPools struct{ dir string }

func (d dirPools) String() string { return d.dir }

func (d dirPools) open(_ context.Context, file string) (io.ReadCloser, error) {
	f, err := os.Open(filepath.Join(d.dir, filepath.FromSlash(file)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errAbsent
	}
	return f, err
}

// Try implements [pools]. It does not try again: a file does not change.
func (d dirPools) Try(_ context.Context, _ string, work func() error) error { return work() }

// serverPools are pools on a web server.
type serverPools struct{ files }

func (s serverPools) String() string { return s.url }

func (s serverPools) open(ctx context.Context, file string) (io.ReadCloser, error) {
	body, err := s.client.Open(ctx, s.url+"/"+file)
	if download.NotFound(err) {
		return nil, download.Permanent(errAbsent)
	}
	if err != nil {
		return nil, err
	}
	return body, nil
}

// Try implements [pools].
func (s serverPools) Try(ctx context.Context, what string, work func() error) error {
	return s.client.Try(ctx, what, work)
}

// poolIndex is the index of the pool of a commit.
type poolIndex struct {
	commit string
	// files are the contents of the files of the index, by name.
	files    map[string][]byte
	packages []build.PoolFile
}

// readPool reads the index of the pool of a commit. The error is errAbsent if the place does not have the pool. The signature is not checked.
func readPool(ctx context.Context, from pools, commit string) (*poolIndex, error) {
	var index *poolIndex
	names := build.PoolNames()
	err := from.Try(ctx, "read the pool", func() error {
		index = &poolIndex{commit: commit, files: map[string][]byte{}}
		for _, name := range []string{names.Signed, names.Packages, names.Detached, names.Clear} {
			text, err := readSmall(ctx, from, commit+"/"+name)
			if errors.Is(err, errAbsent) && name != names.Signed && name != names.Packages {
				continue
			}
			if err != nil {
				return err
			}
			index.files[name] = text
		}
		var err error
		if index.packages, err = build.ReadPool(commit, func(name string) ([]byte, error) { return index.files[name], nil }); err != nil {
			return download.Doubtful(err) // the pool could have been replaced in the middle
		}
		return nil
	})
	return index, err
}

// readSmall reads a file of an index.
func readSmall(ctx context.Context, from pools, file string) ([]byte, error) {
	body, err := from.open(ctx, file)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	text, err := io.ReadAll(io.LimitReader(body, mostPoolIndex+1))
	if err == nil && len(text) > mostPoolIndex {
		err = download.Permanent(fmt.Errorf("%s has more than %d bytes", file, mostPoolIndex))
	}
	return text, err
}

// write writes the index to a directory in the form of [extend.PoolDir], in place of an earlier index of the same pool.
func (p *poolIndex) write(dir string) error {
	next := filepath.Join(dir, newPrefix+p.commit)
	if err := errors.Join(os.RemoveAll(next), os.MkdirAll(next, 0o755)); err != nil {
		return err
	}
	for name, text := range p.files {
		if err := layer.WriteFile(filepath.Join(next, name), text, 0o644); err != nil {
			return err
		}
	}
	to := filepath.Join(dir, p.commit)
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	return os.Rename(next, to)
}

// lackingIn are the packages of a pool that a directory in the form of [extend.PoolDir] does not have.
func lackingIn(dir string, packages []build.PoolFile) (lacking []build.PoolFile) {
	for _, p := range packages {
		if sum, err := layer.HashFile(filepath.Join(dir, filepath.FromSlash(p.Path))); err != nil || sum != p.SHA256 {
			lacking = append(lacking, p)
		}
	}
	return lacking
}

// copyPooled puts packages of a pool into a directory in the form of [extend.PoolDir].
func copyPooled(ctx context.Context, from pools, packages []build.PoolFile, dir string) error {
	for _, p := range packages {
		to := filepath.Join(dir, filepath.FromSlash(p.Path))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := from.Try(ctx, "get "+p.Name, func() error { return copyPackage(ctx, from, p, to) }); err != nil {
			return fmt.Errorf("get %s from the pool at %s: %w", p.Name, from, err)
		}
	}
	return nil
}

// copyPackage copies one package, and checks its content.
func copyPackage(ctx context.Context, from pools, p build.PoolFile, to string) error {
	body, err := from.open(ctx, p.Path)
	if err != nil {
		return err
	}
	defer body.Close()
	next := filepath.Join(filepath.Dir(to), newPrefix+filepath.Base(to))
	f, err := os.Create(next)
	if err != nil {
		return err
	}
	err = copyExact(f, body, "package "+p.Name, p.Size, p.SHA256)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		return os.Rename(next, to)
	}
	os.Remove(next)
	var other *damaged
	if errors.As(err, &other) {
		return download.Doubtful(err)
	}
	return err
}
