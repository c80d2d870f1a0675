package verify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/cache"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/sandbox"
	"github.com/treewright/treewright/builder/treefs"
)

// Exec carries out the request that is written on r, and writes the reply to w.
func Exec(ctx context.Context, r, w *os.File) error {
	var q request
	if err := json.NewDecoder(r).Decode(&q); err != nil {
		return fmt.Errorf("read the request: %w", err)
	}
	found, err := q.carryOut(ctx)
	if err != nil {
		found = &reply{Error: err.Error()}
	}
	return json.NewEncoder(w).Encode(found)
}

func (q *request) carryOut(ctx context.Context) (*reply, error) {
	if err := sandbox.Arrive(q.Host); err != nil {
		return nil, err
	}
	sandbox.MoveClock(q.Clock)
	sink, err := event.Choose(q.Progress, os.Stderr, event.Options{Verbose: q.Verbose})
	if err != nil {
		return nil, err
	}
	defer sink.Close()
	if q.Repeat != "" {
		return q.repeat(ctx)
	}
	if err := q.furnish(); err != nil {
		return nil, err
	}
	b, s, err := q.open(q.Moved, q.Cache, q.Output)
	if err != nil {
		return nil, err
	}
	made, err := b.Rebuild(ctx, s, sink)
	if err != nil {
		return nil, err
	}
	defer made.Close()
	c := &comparison{request: q, builder: b, made: made, public: b.Output(s).Public}
	if c.before, err = layer.Open(filepath.Join(q.From, "store")); err != nil {
		return nil, err
	}
	defer c.before.Close()
	return c.compare(ctx)
}

// open opens a builder that makes things again.
func (q *request) open(tree, cache, output string) (*build.Builder, *build.Subject, error) {
	b, err := build.Open(build.Options{
		Tree: tree, Cache: cache, Output: output, Vars: q.Vars, Secrets: q.Secrets, Env: environ(),
		Exec:    build.ExecOptions{URL: build.NoRemote},
		Sign:    build.SignOptions{Keys: q.Keys},
		Offline: true, Jobs: q.Jobs, MemoryMiB: q.MemoryMiB, Again: true, Other: build.Other(),
	})
	if err != nil {
		return nil, nil, err
	}
	project, _, err := b.Load()
	if err != nil {
		return nil, nil, err
	}
	s, err := b.Resolve(context.Background(), project, q.Flavour)
	return b, s, err
}

func environ() map[string]string {
	env := sandbox.HostEnv()
	env["LC_ALL"] = os.Getenv("LC_ALL")
	return env
}

// repeat carries out a step of the first build.
func (q *request) repeat(ctx context.Context) (*reply, error) {
	b, s, err := q.open(q.Tree, q.From, q.FirstRoot)
	if err != nil {
		return nil, err
	}
	p, err := b.Prepare(ctx, s, event.Discard)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	index, err := b.Repeat(ctx, p, q.Repeat, event.Discard)
	return &reply{Index: index}, err
}

// furnish makes the cache and the tree of the second build.
func (q *request) furnish() error {
	if q.Memory > 0 {
		if err := sandbox.MountMemory(q.Cache, q.Memory); err != nil {
			return err
		}
	}
	for _, part := range build.Inputs {
		if _, err := os.Lstat(filepath.Join(q.From, part)); err != nil {
			continue
		}
		if err := layer.CopyTree(filepath.Join(q.From, part), filepath.Join(q.Cache, part)); err != nil {
			return err
		}
	}
	for _, sum := range q.Packages {
		at := cache.Download(sum)
		if err := os.MkdirAll(filepath.Dir(filepath.Join(q.Cache, at)), 0o755); err != nil {
			return err
		}
		// What the cache does not have is downloaded.
		if err := treefs.LinkOrCopy(filepath.Join(q.From, at), filepath.Join(q.Cache, at)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return q.moveTree()
}

// moveTree copies the tree as a checkout by a user with another umask has it.
func (q *request) moveTree() error {
	skip := append([]string{filepath.Join(q.Tree, ".git"), filepath.Join(q.Tree, ".cache"), filepath.Join(q.Tree, ".build")}, q.Skip...)
	return filepath.WalkDir(q.Tree, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if slices.Contains(skip, path) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		rel, err := filepath.Rel(q.Tree, path)
		if err != nil {
			return err
		}
		to := filepath.Join(q.Moved, rel)
		info, err := d.Info()
		if err != nil {
			return err
		}
		switch info.Mode().Type() {
		case fs.ModeDir:
			return os.MkdirAll(to, 0o700)
		case fs.ModeSymlink:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(target, to)
		case 0:
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return os.WriteFile(to, content, info.Mode().Perm()&0o700)
		}
		return nil
	})
}
