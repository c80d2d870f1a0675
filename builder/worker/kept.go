package worker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/remote"
)

// keptDir is the directory in which a worker keeps unpacked inputs for later Actions. It is outside of the Action's directory: servers can
// remove the Action's directory, or have it on a file system that overlayfs cannot use. Tests set another directory.
var keptDir = "/var/tmp/treewright-worker"

// mostKept is the largest number of bytes that a worker keeps. On a small disk, the limit is half of the space of the disk.
const mostKept = 64 << 30

// kept is a store with the inputs that a worker has unpacked and the results that it has made. The keys are the SHA-256 of the packed
// data.
type kept struct {
	dir   string
	store *layer.Store
	used  map[string]bool // the keys that this process has checked
	most  int64           // bytes
}

// openKept opens the store in dir, or makes it. It refuses a dir that other users can read or change.
func openKept(dir string) (*kept, error) {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	// All users can make files in /var/tmp.
	var st unix.Stat_t
	if err := unix.Lstat(dir, &st); err != nil {
		return nil, &fs.PathError{Op: "lstat", Path: dir, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR || int(st.Uid) != os.Geteuid() || st.Mode&0o077 != 0 {
		return nil, fmt.Errorf("%s is not a directory that only this user can read and change: remove it", dir)
	}
	store, err := layer.Open(dir)
	if errors.Is(err, layer.ErrOverlay) {
		return nil, fmt.Errorf("%s is %w, where steps cannot make layers: give the worker a volume for /var/tmp", filepath.Dir(dir), layer.ErrOverlay)
	}
	if err == nil {
		_, err = store.Sweep()
	}
	if err != nil {
		return nil, err
	}
	return &kept{dir: dir, store: store, used: map[string]bool{}, most: mostKept}, nil
}

// open returns the directory with the data of an input. It unpacks them from file if they are missing or damaged.
func (k *kept) open(ctx context.Context, sum, file string) (string, error) {
	if k.used[sum] {
		return k.store.Data(sum), nil
	}
	unlock, err := k.store.Lock(ctx, sum, func() {})
	if err != nil {
		return "", err
	}
	defer unlock()
	ok, _, err := k.store.Sound(sum)
	if err == nil && !ok {
		err = k.unpack(sum, file)
	}
	if err != nil {
		return "", fmt.Errorf("unpack the input %s: %w", sum, err)
	}
	k.store.Touch(sum)
	k.used[sum] = true
	return k.store.Data(sum), nil
}

func (k *kept) unpack(sum, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	draft, err := k.store.Begin(sum)
	if err != nil {
		return err
	}
	r := record(info.Size())
	if err = draft.Fill(remote.Check(f, "the input", info.Size(), sum), r); err == nil {
		_, err = k.store.Put(draft, r)
	}
	if err != nil {
		err = &without{err, draft.Dir}
		draft.Abort()
	}
	return err
}

// sizeFact is the name of the fact with the size of packed data.
const sizeFact = "size"

func record(size int64) layer.Result {
	return layer.Result{Facts: map[string]string{sizeFact: strconv.FormatInt(size, 10)}}
}

// shrink removes the data that were not used for the longest time, until the rest is within the limit. It does not remove data that
// other Actions use.
func (k *kept) shrink() error {
	free, err := layer.FreeSpace(k.dir)
	if err != nil {
		return err
	}
	all, err := k.store.List(false)
	if err != nil {
		return err
	}
	slices.SortFunc(all, func(a, b layer.Entry) int { return b.Used.Compare(a.Used) })
	var sum int64
	sizes := make([]int64, len(all))
	for i, e := range all {
		sizes[i], _ = strconv.ParseInt(e.Facts[sizeFact], 10, 64)
		sum += sizes[i]
	}
	limit := min(k.most, (free+sum)/2)
	var left int64
	for i, e := range all {
		if left += sizes[i]; left > limit {
			if _, err := k.store.Remove(e.Key, time.Now()); err != nil {
				return err
			}
		}
	}
	return nil
}
