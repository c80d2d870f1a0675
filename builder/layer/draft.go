package layer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// Draft is a result in the making.
type Draft struct {
	// Dir is the draft's folder; Data, Work and Scratch lie in it: what will
	// be stored, overlayfs's work directory, and room for temporary files.
	Dir, Data, Work, Scratch, Log string

	store *Store
	key   string
	lock  *os.File
}

// Begin starts a new result under key.
func (s *Store) Begin(key string) (*Draft, error) {
	dir, err := os.MkdirTemp(filepath.Join(s.root, "drafts"), key[:min(16, len(key))]+".")
	if err != nil {
		return nil, fmt.Errorf("begin result: %w", err)
	}
	d := &Draft{
		Dir: dir, Data: filepath.Join(dir, "data"), Work: filepath.Join(dir, "work"),
		Scratch: filepath.Join(dir, "scratch"), Log: filepath.Join(dir, "log"),
		store: s, key: key,
	}
	err = withoutACL(dir)
	for _, sub := range []string{d.Data, d.Work, d.Scratch} {
		if err == nil {
			err = plainDir(sub)
		}
	}
	if err != nil {
		d.Abort()
		return nil, fmt.Errorf("begin result: %w", err)
	}
	// Locked before it gets its name: a Sweep must not find it free.
	d.lock, err = os.OpenFile(filepath.Join(dir, "alive.new"), os.O_CREATE|os.O_RDWR|unix.O_CLOEXEC, 0o644)
	if err == nil {
		err = unix.Flock(int(d.lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	}
	if err == nil {
		err = os.Rename(d.lock.Name(), filepath.Join(dir, "alive"))
	}
	if err != nil {
		d.Abort()
		return nil, fmt.Errorf("begin result: %w", err)
	}
	return d, nil
}

// Commit stores the draft as the result, once its bytes are on the disk. If
// another process stored the same key meanwhile, that one stays: the same key
// has the same content.
func (d *Draft) Commit(r Result) error {
	if err := d.record(r); err != nil {
		return fmt.Errorf("store result: %w", err)
	}
	// Mount points and temporary files have no place in a result.
	entries, err := os.ReadDir(d.Dir)
	if err != nil {
		return fmt.Errorf("store result: %w", err)
	}
	for _, e := range entries {
		if slices.Contains([]string{"data", "log", resultFile, indexFile, seenFile}, e.Name()) {
			continue
		}
		if err := removeAll(filepath.Join(d.Dir, e.Name())); err != nil {
			return fmt.Errorf("store result: %w", err)
		}
	}
	// Steps do not wait for the disk (sandbox.SuppressSync), so it is done here, once.
	if err := Sync(d.Dir); err != nil {
		return fmt.Errorf("store result: %w", err)
	}
	err = unix.Renameat2(unix.AT_FDCWD, d.Dir, unix.AT_FDCWD, d.store.dir(d.key), unix.RENAME_NOREPLACE)
	d.lock.Close()
	if err == nil {
		d.store.good.Store(d.key, true)
	}
	if errors.Is(err, unix.EEXIST) {
		if _, good, gerr := d.store.Get(d.key); gerr != nil || good {
			return errors.Join(gerr, removeAll(d.Dir))
		}
		// What is there was damaged; see Get.
		if err = unix.Renameat2(unix.AT_FDCWD, d.Dir, unix.AT_FDCWD, d.store.dir(d.key), unix.RENAME_EXCHANGE); err == nil {
			d.store.good.Store(d.key, true)
			return removeAll(d.Dir)
		}
	}
	if err != nil {
		return fmt.Errorf("store result: %w", err)
	}
	return nil
}

// record writes down what the result is: its record, its index, and what was
// seen of it.
func (d *Draft) record(r Result) error {
	known := map[string]string{}
	for _, f := range r.Files {
		if f.SHA256 != "" {
			known[f.Path] = f.SHA256
		}
	}
	entries, err := readIndex(d.Data, known)
	if err != nil {
		return err
	}
	index := formatIndex(entries)
	r.Key, r.Index = d.key, hashBytes(index)
	raw, err := seal(r)
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{resultFile: raw, indexFile: index, seenFile: formatSeen(entries)} {
		if err := os.WriteFile(filepath.Join(d.Dir, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Abort throws the draft away.
func (d *Draft) Abort() {
	if d.lock != nil {
		d.lock.Close()
	}
	// What is left is found by the next Sweep.
	_ = removeAll(d.Dir)
}

// Sweep removes the drafts that killed processes left behind and returns how
// many there were.
func (s *Store) Sweep() (int, error) {
	drafts, err := os.ReadDir(filepath.Join(s.root, "drafts"))
	if err != nil {
		return 0, fmt.Errorf("sweep cache: %w", err)
	}
	swept := 0
	for _, d := range drafts {
		dir := filepath.Join(s.root, "drafts", d.Name())
		if draftAlive(dir) {
			continue
		}
		// It may have become a result this very moment.
		if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := removeAll(dir); err != nil {
			return swept, fmt.Errorf("sweep cache: %w", err)
		}
		swept++
	}
	return swept, nil
}

// draftAlive says whether a process holds the draft's lock. A draft so young
// that it has no lock yet is left alone as well.
func draftAlive(dir string) bool {
	f, err := os.Open(filepath.Join(dir, "alive"))
	if err != nil {
		info, serr := os.Stat(dir)
		return serr == nil && time.Since(info.ModTime()) < time.Minute
	}
	defer f.Close()
	return errors.Is(unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB), unix.EWOULDBLOCK)
}
