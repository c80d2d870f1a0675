package debian

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/download"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/treetest"
)

// The tests called TestNet ask the real archive, by the machine's own apt and
// its policy: what apt answers is the one thing that cannot be made up.

func debianTesting() distro.Source {
	return distro.Source{
		URL: "http://deb.debian.org/debian", Suite: "testing",
		Components: []string{"main"}, Keyring: Family{}.DefaultKeyring(),
	}
}

func needNet(t *testing.T) {
	t.Helper()
	if testing.Short() {
		treetest.Skip(t, "needs the network: it asks deb.debian.org; run it without -short")
	}
}

func hostPolicy(t *testing.T) Policy {
	t.Helper()
	p, err := Family{}.Access(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return p.(Policy)
}

func patient(p Policy) *download.Client { return p.Client(download.Patient, func(string) {}) }

func TestNetResolve(t *testing.T) {
	needNet(t)
	// apt cannot quote such names.
	ctx, cache := context.Background(), filepath.Join(t.TempDir(), `a tree, with: "odd" \ things`)
	policy := hostPolicy(t)
	a, err := policy.openArchive(ctx, distro.ArchiveOptions{Arch: "amd64", Sources: []distro.Source{debianTesting()}, Cache: cache, Client: patient(policy), Offline: false})
	if err != nil {
		t.Fatal(err)
	}
	if len(a.release) != 64 {
		t.Errorf("release %q", a.release)
	}
	base, err := a.Resolve(ctx, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"apt", "dpkg", "libc6", "base-files", "debian-archive-keyring"} {
		if !slices.Contains(base.Names(), name) {
			t.Errorf("the base lacks %s", name)
		}
	}
	wants := []distro.Want{{Name: "systemd"}}
	on, err := a.Resolve(ctx, base, wants)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(on.Names(), "systemd") || len(base.Minus(on).Packages) != 0 {
		t.Errorf("on top of the base: %d packages, %d of the base's are gone", len(on.Packages), len(base.Minus(on).Packages))
	}
	if !slices.IsSorted(on.Names()) {
		t.Error("the packages are not sorted")
	}

	// Offline, the answer is the same, and a new question can be asked.
	off, err := policy.openArchive(ctx, distro.ArchiveOptions{Arch: "amd64", Sources: []distro.Source{debianTesting()}, Cache: cache, Client: patient(policy), Offline: true})
	if err != nil {
		t.Fatal(err)
	}
	again, err := off.Resolve(ctx, base, wants)
	if err != nil || again.Digest() != on.Digest() {
		t.Errorf("asked again: error %v, or other packages", err)
	}
	// Without what is remembered, too.
	memos, err := layer.Glob(cache, "resolved/*.json")
	if err != nil || len(memos) != 2 {
		t.Errorf("remembered: %v, error %v", memos, err)
	}
	for _, m := range memos {
		if err := os.Remove(m); err != nil {
			t.Fatal(err)
		}
	}
	again, err = off.Resolve(ctx, base, wants)
	if err != nil || again.Digest() != on.Digest() {
		t.Errorf("worked out again: error %v, or other packages", err)
	}
	if _, err := off.Resolve(ctx, nil, []distro.Want{{Name: "hello"}}); err != nil {
		t.Errorf("a new question offline: %v", err)
	}

	t.Run("unknown", func(t *testing.T) {
		_, err := a.Resolve(ctx, base, []distro.Want{{Name: "podmna"}, {Name: "hello"}, {Name: "bash", Version: "1.0-1"}})
		var unknown *distro.UnknownError
		if !errors.As(err, &unknown) {
			t.Fatalf("error %v", err)
		}
		if len(unknown.Missing) != 2 || unknown.Missing[0].Name != "podmna" || unknown.Missing[1].Name != "bash" {
			t.Errorf("missing %v", unknown.Missing)
		}
		if !unknown.Index.Has("podman") || len(unknown.Versions["bash"]) == 0 {
			t.Errorf("nothing to suggest: versions %v", unknown.Versions)
		}
	})
	t.Run("unsolvable", func(t *testing.T) {
		_, err := a.Resolve(ctx, base, []distro.Want{{Name: "postfix"}, {Name: "exim4-daemon-light"}})
		var unsolvable *distro.UnsolvableError
		if !errors.As(err, &unsolvable) {
			t.Fatalf("error %v", err)
		}
		if !strings.Contains(unsolvable.Reason, "postfix") || !strings.Contains(unsolvable.Reason, "exim4") {
			t.Errorf("apt's reason is lost: %s", unsolvable.Reason)
		}
	})
	t.Run("indices that are current are not fetched", func(t *testing.T) {
		before, err := os.Stat(a.inRelease())
		if err != nil {
			t.Fatal(err)
		}
		now, err := policy.openArchive(ctx, distro.ArchiveOptions{Arch: "amd64", Sources: []distro.Source{debianTesting()}, Cache: cache, Client: patient(policy), Offline: false})
		if err != nil {
			t.Fatal(err)
		}
		after, err := os.Stat(a.inRelease())
		if err != nil {
			t.Fatal(err)
		}
		if now.release == a.release && !os.SameFile(before, after) {
			t.Error("apt was asked again for the same release file")
		}
	})
}

func TestNetSignaturesAreChecked(t *testing.T) {
	needNet(t)
	src := debianTesting()
	src.Keyring = filepath.Join(t.TempDir(), "empty.gpg")
	if err := os.WriteFile(src.Keyring, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	cache := t.TempDir()
	_, err := hostPolicy(t).openArchive(context.Background(), distro.ArchiveOptions{Arch: "amd64", Sources: []distro.Source{src}, Cache: cache, Client: patient(hostPolicy(t)), Offline: false})
	if err == nil {
		t.Fatal("indices without a signature that the keyring has were taken")
	}
	if !strings.Contains(err.Error(), "http://deb.debian.org/debian testing") {
		t.Errorf("the error does not name the archive: %v", err)
	}
	if _, err := (Policy{}).openArchive(context.Background(), distro.ArchiveOptions{Arch: "amd64", Sources: []distro.Source{src}, Cache: cache, Client: impatient(), Offline: true}); err == nil {
		t.Error("offline, the refused indices are there")
	}
}

func TestNetUnknownSuite(t *testing.T) {
	needNet(t)
	src := debianTesting()
	src.Suite = "tseting"
	_, err := hostPolicy(t).openArchive(context.Background(), distro.ArchiveOptions{Arch: "amd64", Sources: []distro.Source{src}, Cache: t.TempDir(), Client: patient(hostPolicy(t)), Offline: false})
	var fault *distro.SourceError
	if !errors.As(err, &fault) || fault.Field != distro.SuitesField || fault.Value != "tseting" || !slices.Contains(fault.Known, "testing") {
		t.Errorf("error %#v, want one that names the suite, and those that there are", err)
	}
}

func TestOpenArchiveFaults(t *testing.T) {
	src := debianTesting()
	src.Keyring = "/no/such/keyring.gpg"
	_, err := (Policy{}).openArchive(context.Background(), distro.ArchiveOptions{Arch: "amd64", Sources: []distro.Source{src}, Cache: t.TempDir(), Client: impatient(), Offline: false})
	if err == nil || !strings.Contains(err.Error(), "The keyring /no/such/keyring.gpg, which") {
		t.Errorf("error %v", err)
	}
	src.Keyring = filepath.Join(t.TempDir(), "k")
	if err := os.WriteFile(src.Keyring, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = (Policy{}).openArchive(context.Background(), distro.ArchiveOptions{Arch: "amd64", Sources: []distro.Source{src}, Cache: t.TempDir(), Client: impatient(), Offline: true})
	if err == nil || !strings.Contains(err.Error(), "there are no indices") {
		t.Errorf("error %v", err)
	}
	src.URL = "http://127.0.0.1:1/debian"
	once := Policy{Options: [][2]string{{"Acquire::Retries", "0"}}}
	_, err = once.openArchive(context.Background(), distro.ArchiveOptions{Arch: "amd64", Sources: []distro.Source{src}, Cache: t.TempDir(), Client: impatient(), Offline: false})
	if err == nil || !strings.Contains(err.Error(), "http://127.0.0.1:1/debian testing") {
		t.Errorf("unreachable: error %v, want one that names the mirror", err)
	}
}
