package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/layer"
)

// Cache is a directory:
//
//	store/             results; see [layer.Store]
//	packages/sha256/   downloads, which results have by hard links
//	sources/ history/  snapshots of features, unpacked histories: a directory each
//	git/               trees from git, a directory for each commit
//	apt/               package indices, a directory each
//	resolved/ plans/   what is remembered of apt's answers, and of builds
//	planning           locked; see [Cache.Planning]
//	secrets.key        random bytes; see [Cache.SecretsKey]
//	sizes.json         sizes that were measured
type Cache struct {
	Root  string
	Store *layer.Store

	// planned is when this process began to plan.
	planned time.Time
}

// Open opens the cache in the directory root (absolute), making it if needed. What
// keeps it from being used is a *[diag.Host] or a *[diag.Request].
func Open(root string) (*Cache, error) {
	store, err := layer.Open(filepath.Join(root, "store"))
	if err != nil {
		return nil, unusable(root, err)
	}
	return &Cache{Root: root, Store: store}, nil
}

func (c *Cache) path(names ...string) string {
	return filepath.Join(append([]string{c.Root}, names...)...)
}

// planningFile is locked, by any number of processes together, while they look
// for what they are going to rely on. Who removes anything but results, which
// are held one by one, has the lock alone.
const planningFile = "planning"

// Planning keeps all but results from being removed until done is called. By
// then what is needed must have been told to [Cache.Rely]. When it has to wait
// it calls waiting.
func (c *Cache) Planning(ctx context.Context, waiting func()) (done func(), err error) {
	done, err = Planning(ctx, c.Root, waiting)
	if c.planned.IsZero() {
		c.planned = time.Now()
	}
	return done, err
}

// Planning is [Cache.Planning] for a program that needs only the package indices of the cache in the directory
// root. It makes the directory if it does not exist.
func Planning(ctx context.Context, root string, waiting func()) (done func(), err error) {
	if err := os.MkdirAll(root, 0o755); err != nil {
		return nil, err
	}
	return layer.ShareFile(ctx, filepath.Join(root, planningFile), waiting)
}

// WriteFile is [layer.WriteFile] for a file in an area of the cache, such as the record of a build. It has the lock
// of [Cache.Planning] meanwhile: without it, another program could remove the temporary file.
func (c *Cache) WriteFile(ctx context.Context, path string, data []byte) error {
	done, err := c.Planning(ctx, func() {})
	if err != nil {
		return err
	}
	defer done()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return layer.WriteFile(path, data, 0o644)
}

// held are the areas of directories that builds rely on beyond planning.
var held = map[string]bool{"sources": true, "history": true}

// Rely keeps the snapshots and histories to which paths lead from being removed
// until the store is closed, and notes that they are of use. Paths elsewhere are
// none of its business.
func (c *Cache) Rely(paths ...string) error {
	now := time.Now()
	for _, path := range paths {
		rel, err := filepath.Rel(c.Root, path)
		if err != nil {
			continue
		}
		parts := strings.Split(rel, string(filepath.Separator))
		if len(parts) < 2 || !held[parts[0]] {
			continue
		}
		dir := c.path(parts[0], parts[1])
		there, err := c.Store.Hold(dir)
		if err != nil {
			return err
		}
		if !there {
			return fmt.Errorf("%s was removed by another program during the build; build again", dir)
		}
		// Only a hint for the removal of old data.
		_ = os.Chtimes(dir, now, now)
	}
	return nil
}

// Disk is a file system.
type Disk struct {
	Device     uint64
	Size, Free int64
	// Shares means that copies may take no space of their own there (reflinks).
	Shares bool
}

// sharing are the types of file systems that know reflinks: XFS_SUPER_MAGIC,
// BTRFS_SUPER_MAGIC, and those of bcachefs, OCFS2 and ZFS.
var sharing = []int64{0x58465342, 0x9123683e, 0xca451a4e, 0x7461636f, 0x2fc12fc1}

// DiskOf returns the file system that holds path, which need not be there yet.
func DiskOf(path string) (Disk, error) {
	for {
		var st unix.Statfs_t
		var file unix.Stat_t
		err := errors.Join(unix.Statfs(path, &st), unix.Stat(path, &file))
		if err == nil {
			return Disk{
				Device: file.Dev, Size: int64(st.Blocks) * st.Bsize, Free: int64(st.Bavail) * st.Bsize,
				Shares: slices.Contains(sharing, int64(st.Type)),
			}, nil
		}
		parent := filepath.Dir(path)
		if !errors.Is(err, fs.ErrNotExist) || parent == path {
			return Disk{}, fmt.Errorf("ask for the free space at %s: %w", path, err)
		}
		path = parent
	}
}
