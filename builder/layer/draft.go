package layer

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Draft is a result that is not finished.
type Draft struct {
	// Dir is the draft's directory; Data, Work and Scratch are in it: the data of
	// the result, overlayfs's work directory, and space for temporary files.
	Dir, Data, Work, Scratch, Log string
	// Layer reports that the result is a layer: its index has the checksums of OSTree objects.
	Layer bool

	// Looks are the files that the step read, if they are known.
	Looks *Looks

	// DataSum is stored for [Store.DataSum]. It is zero if it is not known.
	DataSum DataSum

	// entries are the index of the data after a call of index.
	entries []entry

	store *Store
	key   string
	// lock is the shared lock on the directory by which a Sweep finds that
	// the draft is in use. It becomes the hold on the result.
	lock int
}

// newDraft begins the names of drafts that are not locked yet.
const newDraft = ".new-"

// Begin starts a new result under key.
func (s *Store) Begin(key string) (*Draft, error) {
	fail := func(err error) (*Draft, error) { return nil, fmt.Errorf("begin result: %w", err) }
	dir, err := os.MkdirTemp(filepath.Join(s.root, "drafts"), newDraft)
	if err != nil {
		return fail(err)
	}
	lock, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err == nil {
		err = flock(lock, unix.LOCK_SH)
	}
	// Locked before it gets its name: a Sweep must not find it free.
	named := filepath.Join(filepath.Dir(dir), key[:min(16, len(key))]+"."+strings.TrimPrefix(filepath.Base(dir), newDraft))
	if err == nil {
		err = os.Rename(dir, named)
	}
	if err != nil {
		unix.Close(lock)
		return fail(errors.Join(err, os.Remove(dir)))
	}
	d := &Draft{
		Dir: named, Data: filepath.Join(named, "data"), Work: filepath.Join(named, "work"),
		Scratch: filepath.Join(named, "scratch"), Log: filepath.Join(named, "log"),
		store: s, key: key, lock: lock,
	}
	err = withoutACL(named)
	for _, sub := range []string{d.Data, d.Work, d.Scratch} {
		if err == nil {
			err = plainDir(sub)
		}
	}
	if err != nil {
		d.Abort()
		return fail(err)
	}
	return d, nil
}

// Put stores a draft as a result and returns the result's record, which has also
// its index.
func (s *Store) Put(d *Draft, r Result) (Result, error) {
	if err := d.Commit(r); err != nil {
		return Result{}, err
	}
	r, ok, err := s.Get(d.key)
	if err == nil && !ok {
		err = errors.New("the result disappeared right after it was stored")
	}
	return r, err
}

// Commit stores the draft as the result, once its bytes are on the disk. If
// another process stored the same key meanwhile, its result stays: the same key
// has the same content.
func (d *Draft) Commit(r Result) error {
	index, err := d.record(r)
	if err != nil {
		return fmt.Errorf("store result: %w", err)
	}
	// A result does not have mount points and temporary files.
	entries, err := os.ReadDir(d.Dir)
	if err != nil {
		return fmt.Errorf("store result: %w", err)
	}
	for _, e := range entries {
		if slices.Contains([]string{"data", "log", resultFile, indexFile, seenFile, looksFile, dataSumFile}, e.Name()) {
			continue
		}
		if err := RemoveAll(filepath.Join(d.Dir, e.Name())); err != nil {
			return fmt.Errorf("store result: %w", err)
		}
	}
	// Steps do not wait for the disk (sandbox.SuppressSync), so it is done here, once.
	if err := Sync(d.Dir); err != nil {
		return fmt.Errorf("store result: %w", err)
	}
	other, err := d.rename()
	if err != nil {
		return fmt.Errorf("store result: %w", err)
	}
	if other {
		d.Abort()
		return nil
	}
	d.store.good.Store(d.key, index)
	d.store.holds.adopt(d.store.dir(d.key), d.lock)
	d.lock = -1
	if d.Looks != nil {
		d.store.mark(d.Looks, d.key)
	}
	return nil
}

// rename gives the draft the name of the result. other reports that a good result has that name
// already.
func (d *Draft) rename() (other bool, err error) {
	to := d.store.dir(d.key)
	for {
		err := unix.Renameat2(unix.AT_FDCWD, d.Dir, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
		if !errors.Is(err, unix.EEXIST) {
			return false, err
		}
		// A hold keeps other programs from removing it. Without the hold, they could remove the new result in its place.
		there, err := d.store.Hold(to)
		if err != nil {
			return false, err
		}
		if !there {
			continue
		}
		if _, good, err := d.store.look(d.key); err != nil || good {
			return good, err
		}
		// It is damaged; see Get.
		if err = unix.Renameat2(unix.AT_FDCWD, d.Dir, unix.AT_FDCWD, to, unix.RENAME_EXCHANGE); err == nil {
			// It is not needed, and Sweep removes the rest.
			_ = RemoveAll(d.Dir)
		}
		return false, err
	}
}

// record writes the files that describe the result: its record, its index, the state of its files,
// and the files that the step read.
func (d *Draft) record(r Result) (index []entry, err error) {
	if index, err = d.index(r); err != nil {
		return nil, err
	}
	text := formatIndex(index)
	r.Key, r.Index = d.key, hashBytes(text)
	raw, err := seal(r)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{resultFile: raw, indexFile: text, seenFile: formatSeen(index)}
	if d.DataSum != (DataSum{}) {
		files[dataSumFile] = d.DataSum.format()
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(d.Dir, name), content, 0o644); err != nil {
			return nil, err
		}
	}
	if d.Looks != nil {
		return index, d.Looks.write(d.Dir)
	}
	return index, nil
}

// index returns the index of the data. It makes the index once, so the data must not change after the first call.
func (d *Draft) index(r Result) ([]entry, error) {
	if d.entries != nil {
		return d.entries, nil
	}
	known := map[string]string{}
	for _, f := range r.Files {
		if f.SHA256 != "" {
			known[f.Path] = f.SHA256
		}
	}
	var err error
	d.entries, err = readIndex(d.Data, known, d.Layer)
	return d.entries, err
}

// nearlyFull is the free space on the cache's disk, in bytes, below which the error of
// a failed step mentions it.
const nearlyFull = 256 << 20

// ExplainFull adds a remedy for a full disk to the error of a step that filled
// the draft. Programs report a full disk in many ways, and clean up before they end, so
// it checks the free space.
func (d *Draft) ExplainFull(err error) error {
	free, ferr := FreeSpace(d.store.root)
	if (ferr != nil || free >= nearlyFull) && !errors.Is(err, unix.ENOSPC) {
		return err
	}
	return fmt.Errorf("%w\nthe disk that holds the cache %s is full or nearly full (%d MiB left); free space with `./build cache prune`, or choose another disk with --cache DIR", err, d.store.root, free>>20)
}

// Abort removes the draft.
func (d *Draft) Abort() {
	// The next Sweep removes the rest.
	_ = RemoveAll(d.Dir)
	if d.lock >= 0 {
		unix.Close(d.lock)
		d.lock = -1
	}
}

// Sweep removes the drafts that killed processes left and returns how
// many there were.
func (s *Store) Sweep() (int, error) {
	drafts, err := os.ReadDir(filepath.Join(s.root, "drafts"))
	if err != nil {
		return 0, fmt.Errorf("sweep cache: %w", err)
	}
	swept := 0
	for _, d := range drafts {
		dir := filepath.Join(s.root, "drafts", d.Name())
		if (strings.HasPrefix(d.Name(), newDraft) || !d.IsDir()) && young(dir) {
			continue // it is about to be locked, or, a file, to lose its name
		}
		if !d.IsDir() {
			if err := os.Remove(dir); err == nil {
				swept++
			}
			continue
		}
		// A draft that becomes a result this very moment has another name then.
		fd, free, err := seize(dir)
		if err == nil && free {
			err = RemoveAll(dir)
			unix.Close(fd)
			swept++
		}
		if err != nil {
			return swept, fmt.Errorf("sweep cache: %w", err)
		}
	}
	return swept, s.sweepMarks()
}

func young(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && time.Since(info.ModTime()) < time.Minute
}
