//go:build e2e

package e2e

import (
	"fmt"
	"os"
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
