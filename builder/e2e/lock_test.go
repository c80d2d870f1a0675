//go:build e2e

package e2e

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/treewright/treewright/builder/distro/debian/debtest"
)

// lockedSource is a further source of the small flavour, and the package from it.
const lockedSource = `
    source "vendor" {
      urls    = [%q]
      suites  = ["stable"]
      keyring = %q
    }
  }
  packages = ["vendor-tool"]
`

// TestLock: a flavour is locked, its archive moves on and removes what it had, and a build
// by the lock with an empty cache makes the same commit. What a snapshot archive has with
// other bytes, or not at all, stops the build.
func TestLock(t *testing.T) {
	t.Parallel()
	stable := &debtest.Suite{Name: "stable", Packages: []debtest.Package{{Name: "vendor-tool", Version: "1", Files: map[string]string{"/usr/share/vendor": "one\n"}}, {Name: "vendor-more"}}}
	archive := debtest.New(t, stable)
	old, err := os.ReadFile(archive.File("stable", "main", stable.Packages[0]))
	if err != nil {
		t.Fatal(err)
	}
	sum := fmt.Sprintf("%x", sha256.Sum256(old))
	var has atomic.Int32 // 0 nothing, 1 other bytes, 2 the file
	snapshots := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != "/file/"+sum || has.Load() == 0:
			http.NotFound(w, r)
		case has.Load() == 1:
			_, _ = w.Write(append([]byte("x"), old[1:]...))
		default:
			_, _ = w.Write(old)
		}
	}))
	t.Cleanup(snapshots.Close)
	flavour := strings.Replace(minimal, "  }\n", fmt.Sprintf(lockedSource, archive.Serve(t).URL, archive.Key.Keyring), 1)
	p := sharing(t, flavour)
	first := p.build()
	// One more package of the flavour leaves those of its features as they are.
	p.write("flavours/e2e.hcl", strings.Replace(flavour, `["vendor-tool"]`, `["vendor-tool", "vendor-more"]`, 1))
	installs := regexp.MustCompile(`(?m)^rootfs/install-system/base +[0-9a-f]{12} +cached (.*\n)*rootfs/install-system +[0-9a-f]{12} +to run `)
	if out, code := p.treewright(nil, "plan", p.flavour); code != 0 || !installs.MatchString(out) {
		t.Errorf("exit %d:\n%s", code, out)
	}
	p.write("flavours/e2e.hcl", flavour)
	if out, code := p.treewright(nil, "lock", p.flavour); code != 0 || !strings.Contains(out, "flavours/e2e.lock.json: new, ") {
		t.Fatalf("exit %d:\n%s", code, out)
	}
	if out, code := p.treewright(nil, "outdated", p.flavour); code != 0 || !strings.Contains(out, "0 changes") {
		t.Errorf("exit %d:\n%s", code, out)
	}

	stable.Packages[0].Version = "2"
	if err := os.Remove(archive.File("stable", "main", debtest.Package{Name: "vendor-tool", Version: "1"})); err != nil {
		t.Fatal(err)
	}
	archive.Publish(t)
	if out, code := p.treewright(nil, "outdated", p.flavour); code != 1 || !strings.Contains(out, "vendor-tool  1       2    vendor stable  rootfs") {
		t.Errorf("exit %d:\n%s", code, out)
	}
	if out, code := p.treewright(nil, "plan", "--locked", p.flavour); code != 0 || !strings.Contains(out, "\n0 to run, ") {
		t.Errorf("exit %d, and a plan by the lock is not that of the build before:\n%s", code, out)
	}

	// Debian's packages are downloaded already; nothing else is there.
	if err := os.RemoveAll(filepath.Join(p.dir, ".build")); err != nil {
		t.Fatal(err)
	}
	p.cache = filepath.Join(p.dir, ".cache")
	if err := os.MkdirAll(p.cache, 0o755); err != nil {
		t.Fatal(err)
	}
	p.link(".cache/packages", filepath.Join(sharedCache, "packages"))
	if err := os.Remove(filepath.Join(sharedCache, "packages/sha256", sum[:2], sum)); err != nil {
		t.Fatal(err)
	}
	p.write("treewright.hcl", fmt.Sprintf("snapshots = [\"%s/sha1/{sha1}\", \"%s/file/{sha256}\"]\n", snapshots.URL, snapshots.URL))
	for state, want := range []string{"None of the snapshot archives has it", "wrong checksum"} {
		has.Store(int32(state))
		out, code := p.treewright(nil, "--progress", "plain", "--locked", p.flavour)
		if code != 1 || !strings.Contains(out, want) || !strings.Contains(out, "flavours/e2e.lock.json:") || !strings.Contains(out, "fetch package vendor-tool 1") {
			t.Errorf("exit %d, want %s:\n%s", code, want, out)
		}
	}
	has.Store(2)
	out, code := p.treewright(nil, "--progress", "plain", "--locked", p.flavour)
	if code != 0 || !strings.Contains(out, "from the lock flavours/e2e.lock.json: sources of ") {
		t.Fatalf("exit %d:\n%s", code, out)
	}
	again := p.manifest()
	if again.Commit != first.Commit {
		t.Errorf("by the lock the commit is %s, not %s", again.Commit, first.Commit)
	}
	for _, s := range again.Steps {
		// The builds that were stopped have fetched what they could.
		if s.Cached && !strings.HasPrefix(s.ID, "packages/") {
			t.Errorf("with an empty cache %s did not run", s.ID)
		}
	}
}
