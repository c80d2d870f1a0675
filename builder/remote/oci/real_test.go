//go:build servers

package oci

import (
	"errors"
	"io"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/remote"
)

// TestRegistryServer puts, has and gets results on a registry that other people wrote, which `make servers` starts. At the end, it is killed.
func TestRegistryServer(t *testing.T) {
	url := os.Getenv("TREEWRIGHT_TEST_OCI")
	c := opened(t, remote.Access{URL: url + "/treewright/test"}, usual)
	put(t, c, "one")
	put(t, c, "one")
	put(t, c, "two")
	other := opened(t, remote.Access{URL: url + "/treewright/test"}, usual)
	has, err := other.Has(t.Context(), []string{keyOf("one"), keyOf("two"), keyOf("three")})
	if err != nil || !has[keyOf("one")] || !has[keyOf("two")] || has[keyOf("three")] {
		t.Errorf("has %v, error %v", has, err)
	}
	wants(t, other, "one")
	wants(t, other, "two")
	if _, _, err := get(t.Context(), other, "three"); !errors.Is(err, remote.ErrMissing) {
		t.Errorf("a result that was never put: error %v", err)
	}
	none := opened(t, remote.Access{URL: url + "/treewright/none"}, usual)
	if has, err := none.Has(t.Context(), []string{keyOf("one")}); err != nil || has[keyOf("one")] {
		t.Errorf("a repository that does not exist: has %v, error %v", has, err)
	}
	lostBlob(t, c, other)
	large(t, c)
	gone(t, c)
}

// lostBlob makes the registry remove a blob. The result is then missing, until the next machine that makes it puts it again.
func lostBlob(t *testing.T, c, other *cache) {
	p, err := other.manifest(t.Context(), keyOf("two"))
	if err != nil {
		t.Fatal(err)
	}
	if err := other.repo.Blobs().Delete(t.Context(), p.layer); err != nil {
		t.Fatal(err)
	}
	if _, _, err := get(t.Context(), other, "two"); !errors.Is(err, remote.ErrMissing) {
		t.Errorf("a result whose blob was removed: error %v", err)
	}
	put(t, c, "two")
	wants(t, other, "two")
}

// large puts and gets a result that compression does not make smaller, and logs the times.
func large(t *testing.T, c *cache) {
	const size = 100 << 20
	begun := time.Now()
	err := c.Put(t.Context(), keyOf("large"), func(w io.Writer) error {
		_, err := io.CopyN(w, noise{}, size)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	between := time.Now()
	var n int64
	err = c.Get(t.Context(), keyOf("large"), func(r io.Reader) error {
		n, err = io.Copy(io.Discard, r)
		return err
	})
	if err != nil || n != size {
		t.Errorf("%d bytes, error %v", n, err)
	}
	t.Logf("100 MiB: put in %s, got in %s", between.Sub(begun).Round(time.Millisecond), time.Since(between).Round(time.Millisecond))
}

// gone kills the registry. The cache returns an error at once.
func gone(t *testing.T, c *cache) {
	pid, err := strconv.Atoi(os.Getenv("TREEWRIGHT_TEST_SERVER"))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if _, _, err := get(t.Context(), c, "one"); err == nil || errors.Is(err, remote.ErrMissing) || time.Since(begun) > usual.answer {
		t.Errorf("a registry that is gone: error %v after %s", err, time.Since(begun))
	}
}
