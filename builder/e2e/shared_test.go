//go:build e2e

package e2e

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// cacheVariable names a directory to keep the shared cache in from one run to
// the next, for people who work on a test.
const cacheVariable = "TREEWRIGHT_E2E_CACHE"

// sharedCache is the cache of all tests that do not ask for an empty one.
var sharedCache string

func TestMain(m *testing.M) {
	os.Exit(withSharedCache(m.Run))
}

func withSharedCache(run func() int) int {
	if sharedCache = os.Getenv(cacheVariable); sharedCache != "" {
		return run()
	}
	var err error
	if sharedCache, err = os.MkdirTemp("", "treewright-e2e-*"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(sharedCache)
	return run()
}

// minimal is a flavour of a repository and nothing else.
const minimal = `flavour "e2e" {
  distribution {
    suite  = "testing"
    mirror = "http://deb.debian.org/debian"
  }
  features = ["base", "ostreeRepo"]
  set "ostreeRepo" {
    os_name = "small"
  }
}
`

// sharing is a project with the given flavour file whose cache other tests use
// as well.
func sharing(t *testing.T, flavour string) *project {
	t.Helper()
	p := newProject(t)
	p.cache = sharedCache
	p.write("flavours/e2e.hcl", flavour)
	return p
}

// ownCache gives a project that was built in the shared cache a cache of its own, for
// tests that damage it. It has what the last build used and nothing of other tests, so
// that it is copied and checked in seconds. A download stays one file with its copies in
// results, as builds make it.
func (p *project) ownCache() {
	p.t.Helper()
	wanted := map[uint64]bool{} // the inodes of packages in results
	var paths []string
	for _, s := range p.manifest().Steps {
		result := filepath.Join("store/results", s.Key)
		paths = append(paths, result)
		for _, inode := range inodes(p.t, filepath.Join(p.cache, result, "data/pool")) {
			wanted[inode] = true
		}
	}
	for path, inode := range inodes(p.t, filepath.Join(p.cache, "packages")) {
		if wanted[inode] {
			rel, err := filepath.Rel(p.cache, path)
			if err != nil {
				p.t.Fatal(err)
			}
			paths = append(paths, rel)
		}
	}
	own := filepath.Join(p.dir, ".cache")
	if err := os.Mkdir(own, 0o755); err != nil {
		p.t.Fatal(err)
	}
	copying := exec.Command("cp", append([]string{"-a", "--parents", "--target-directory=" + own, "apt", "plans", "resolved", "sources"}, paths...)...)
	copying.Dir = p.cache
	if out, err := copying.CombinedOutput(); err != nil {
		p.t.Fatalf("%v: %s", err, out)
	}
	p.cache = own
}

// inodes are the numbers of the files below a directory, by path; none if it does not exist.
func inodes(t *testing.T, dir string) map[string]uint64 {
	t.Helper()
	found := map[string]uint64{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if path == dir && os.IsNotExist(err) {
			return fs.SkipAll
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		found[path] = info.Sys().(*syscall.Stat_t).Ino
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
