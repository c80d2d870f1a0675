package publish

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/distro/debian"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/sign"
	"github.com/treewright/treewright/builder/treetest"
)

// pooled is a run for a commit whose pool has packages with these names.
func pooled(t testing.TB, store *layer.Store, output Output, commit string, names ...string) *Finished {
	t.Helper()
	g := &plan.Graph{}
	f := &Finished{Store: store, Graph: g, Manifest: &Manifest{Commit: commit}, Pools: debian.Family{}, Say: func(line string) { t.Error(line) }}
	treetest.Write(t, filepath.Join(output.Public, "repo", ostree.ObjectPath(commit+".commit")), "")
	if len(names) == 0 {
		return f
	}
	s := plan.Step{ID: "packages/pool", Action: strings.Join(names, " "), Output: plan.Dir, Artifacts: []plan.Artifact{{Name: "pool", Path: ".", Kind: plan.PoolArtifact}}}
	if err := g.Add(s); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		content := "the package " + name
		sum := fmt.Sprintf("%x", sha256.Sum256([]byte(content)))
		f.Pool = append(f.Pool, distro.Archived{
			Package: distro.Package{Name: name, Version: "1", Arch: "amd64"}, Filename: "pool/main/" + name + ".deb", Size: int64(len(content)), SHA256: sum, Source: "main", Suite: "testing",
			Stanza: fmt.Sprintf("Package: %s\nVersion: 1\nArchitecture: amd64\nFilename: pool/main/%s.deb\nSize: %d\nSHA256: %s\n", name, name, len(content), sum),
		})
	}
	if _, ok, err := store.Get(g.Key(s.ID)); err != nil || ok {
		return f
	}
	draft, err := store.Begin(g.Key(s.ID))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		treetest.Write(t, filepath.Join(draft.Data, "pool", name+"_1_amd64.deb"), "the package "+name)
	}
	treetest.Write(t, draft.Log, "")
	if err := draft.Commit(layer.Result{Step: s.ID, Epoch: 1700000000}); err != nil {
		t.Fatal(err)
	}
	return f
}

// poolOf are the names of the packages of a pool, or an error if one of them is missing or damaged.
func poolOf(output Output, commit string) ([]string, error) {
	packages, err := debian.Family{}.Pooled(commit, func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(output.Pool(commit), name)) })
	var names []string
	for _, p := range packages {
		sum, err := layer.HashFile(filepath.Join(output.Pools(), debian.Family{}.PooledFile(p)))
		if err != nil || sum != p.SHA256 {
			return nil, fmt.Errorf("%s: %s, %w", p.Filename, sum, err)
		}
		names = append(names, p.Name)
	}
	return names, err
}

func poolIs(t *testing.T, output Output, commit string, want ...string) {
	t.Helper()
	if got, err := poolOf(output, commit); err != nil || !slices.Equal(got, want) {
		t.Errorf("the pool of %.4s has %v, %v; want %v", commit, got, err, want)
	}
}

const commitA, commitB = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

// TestPools: each commit has its own pool, packages are stored once, and both are removed with the commit.
func TestPools(t *testing.T) {
	store, output := openStore(t), OutputOf(t.TempDir(), "f")
	publish := func(commit string, names ...string) {
		t.Helper()
		if err := pooled(t, store, output, commit, names...).Publish(t.Context(), output); err != nil {
			t.Fatal(err)
		}
	}
	files := func() int {
		entries, _ := os.ReadDir(filepath.Join(output.Pools(), "files"))
		return len(entries)
	}
	publish(commitA, "jq", "libjq1")
	poolIs(t, output, commitA, "jq", "libjq1")
	link := filepath.Join(output.Pools(), "files", fmt.Sprintf("%x.deb", sha256.Sum256([]byte("the package jq"))))
	info, err := os.Stat(link)
	if err != nil {
		t.Fatal(err)
	}
	if from, err := os.Stat(filepath.Join(store.Data(pooled(t, store, output, commitA, "jq", "libjq1").Graph.Key("packages/pool")), "pool/jq_1_amd64.deb")); err != nil || !os.SameFile(info, from) {
		t.Errorf("the package is not a link to the one in the cache: %v", err)
	}
	publish(commitB, "jq", "vim")
	poolIs(t, output, commitA, "jq", "libjq1")
	poolIs(t, output, commitB, "jq", "vim")
	if files() != 3 {
		t.Errorf("there are %d packages", files())
	}
	// The same publication again does not change a file.
	before := treetest.Listing(t, output.Pools())
	publish(commitB, "jq", "vim")
	if after := treetest.Listing(t, output.Pools()); !slices.Equal(before, after) {
		t.Errorf("publishing again changed\n%s\nto\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
	}
	// A pool that changes has a newer release file, as apt refuses an older one.
	release := func() string { return treetest.Content(t, filepath.Join(output.Pool(commitB), "Release")) }
	if !strings.Contains(release(), "Date: Tue, 14 Nov 2023 22:13:20 UTC\n") {
		t.Errorf("the release file is %s", release())
	}
	publish(commitB, "jq")
	poolIs(t, output, commitB, "jq")
	if !strings.Contains(release(), "Date: Tue, 14 Nov 2023 22:13:21 UTC\n") || files() != 2 {
		t.Errorf("the release file is %s, and there are %d packages", release(), files())
	}
	// Damaged and lost files are repaired.
	treetest.Write(t, filepath.Join(output.Pool(commitB), "Packages"), "torn")
	treetest.Write(t, filepath.Join(output.Pools(), ".x.new/y"), "torn")
	if err := errors.Join(os.Remove(link), os.WriteFile(link, []byte("flipped"), 0o644)); err != nil {
		t.Fatal(err)
	}
	publish(commitB, "jq")
	poolIs(t, output, commitB, "jq")
	// Without packages the pools of earlier commits stay until their commits are removed.
	publish(commitB)
	poolIs(t, output, commitA, "jq", "libjq1")
	poolIs(t, output, commitB, "jq")
	if err := os.Remove(filepath.Join(output.Public, "repo", ostree.ObjectPath(commitA+".commit"))); err != nil {
		t.Fatal(err)
	}
	publish(commitB)
	poolIs(t, output, commitB, "jq")
	entries, err := os.ReadDir(output.Pools())
	if err != nil || len(entries) != 2 || files() != 1 {
		t.Errorf("left are %v and %d packages, %v", entries, files(), err)
	}
}

// TestUnreadablePool: if a pool cannot be read, no package is removed, and a warning is reported.
func TestUnreadablePool(t *testing.T) {
	store, output := openStore(t), OutputOf(t.TempDir(), "f")
	if err := pooled(t, store, output, commitA, "jq").Publish(t.Context(), output); err != nil {
		t.Fatal(err)
	}
	treetest.Write(t, filepath.Join(output.Pool(commitA), "Release"), "torn")
	f, said := pooled(t, store, output, commitB, "vim"), ""
	f.Say = func(line string) { said += line }
	if err := f.Publish(t.Context(), output); err != nil || !strings.Contains(said, output.Pool(commitA)+" cannot be read, so no package is removed") {
		t.Errorf("said %q, %v", said, err)
	}
	if entries, _ := os.ReadDir(filepath.Join(output.Pools(), "files")); len(entries) != 2 {
		t.Errorf("there are %d packages", len(entries))
	}
}

// TestDamagedDownload: a package in the cache that differs from the index is not published.
func TestDamagedDownload(t *testing.T) {
	store, output := openStore(t), OutputOf(t.TempDir(), "f")
	f := pooled(t, store, output, commitA, "jq")
	treetest.Write(t, filepath.Join(store.Data(f.Graph.Key("packages/pool")), "pool/jq_1_amd64.deb"), "the package jQ")
	var damage *layer.Damage
	if err := f.Publish(t.Context(), output); !errors.As(err, &damage) {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(output.Pool(commitA)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("there is a pool: %v", err)
	}
}

// TestSignedPool: the release file contains the signature of a gpg key; the signature of a command is a separate file. Valid signatures stay.
func TestSignedPool(t *testing.T) {
	if program, _ := sign.Missing(); program != "" {
		treetest.Skip(t, "needs the program %s", program)
	}
	private, err := sign.Generate(t.Context(), "Releases", "never")
	if err != nil {
		t.Fatal(err)
	}
	byKey, err := sign.Of(t.Context(), private)
	if err != nil {
		t.Fatal(err)
	}
	defer byKey.Close()
	dir := t.TempDir()
	treetest.Write(t, filepath.Join(dir, "key"), string(private))
	treetest.Write(t, filepath.Join(dir, "sign"), "#!/bin/sh\necho \"$TREEWRIGHT_SIGN\" >>log\nexport GNUPGHOME=$PWD/home\nmkdir -m 700 -p home && gpg --batch --quiet --import key 2>/dev/null\nexec gpg --batch --quiet --detach-sign\n")
	if err := os.Chmod(filepath.Join(dir, "sign"), 0o755); err != nil {
		t.Fatal(err)
	}
	byCommand, err := sign.NewSigner(t.Context(), sign.Options{Command: []string{"./sign"}, Dir: dir}, byKey.Keys)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = exec.Command("gpgconf", "--homedir", filepath.Join(dir, "home"), "--kill", "all").Run() })
	store, output := openStore(t), OutputOf(t.TempDir(), "f")
	publish := func(signer *sign.Signer) []string {
		t.Helper()
		f := pooled(t, store, output, commitA, "jq")
		f.Signer = signer
		if err := f.Publish(t.Context(), output); err != nil {
			t.Fatal(err)
		}
		var names []string
		entries, _ := os.ReadDir(output.Pool(commitA))
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return names
	}
	if names := publish(byKey); !slices.Equal(names, []string{"InRelease", "Packages", "Release", "Release.gpg"}) {
		t.Errorf("a key makes %v", names)
	}
	read := func(name string) []byte {
		return []byte(treetest.Content(t, filepath.Join(output.Pool(commitA), name)))
	}
	before := read("InRelease")
	if _, err := byKey.Keys.VerifyClear(t.Context(), read("Release"), before); err != nil {
		t.Error(err)
	}
	if _, err := byKey.Keys.VerifyClear(t.Context(), append(read("Release"), "more\n"...), before); err == nil {
		t.Error("the signature of one text is that of another")
	}
	if _, err := sign.Check(t.Context(), "", [][]byte{byKey.Keys.Binary}, read("Release"), read("Release.gpg")); err != nil {
		t.Errorf("a machine does not accept the separate signature: %v", err)
	}
	first, err := os.Stat(filepath.Join(output.Pool(commitA), "InRelease"))
	if err != nil {
		t.Fatal(err)
	}
	publish(byKey)
	if again, err := os.Stat(filepath.Join(output.Pool(commitA), "InRelease")); err != nil || !os.SameFile(first, again) {
		t.Errorf("a valid signature was made again: %v", err)
	}
	if names := publish(nil); !slices.Equal(names, []string{"Packages", "Release"}) {
		t.Errorf("without a signer there are %v", names)
	}
	for range 2 {
		if names := publish(byCommand); !slices.Equal(names, []string{"Packages", "Release", "Release.gpg"}) {
			t.Errorf("a command makes %v", names)
		}
	}
	if _, err := byKey.Keys.Verify(t.Context(), read("Release"), read("Release.gpg")); err != nil || strings.Count(treetest.Content(t, filepath.Join(dir, "log")), "pool of commit") != 1 {
		t.Errorf("signature %v, the command was called for\n%s", err, treetest.Content(t, filepath.Join(dir, "log")))
	}
}

// TestKilledPool: at whatever moment a publication is killed, the pool is the one before or the new one, with all its packages.
func TestKilledPool(t *testing.T) {
	sets := [][]string{{"jq", "libjq1", "libonig5"}, {"libjq1", "vim"}}
	const where = "TREEWRIGHT_TEST_POOL"
	if root := os.Getenv(where); root != "" {
		store, err := layer.Open(filepath.Join(root, "store"))
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; ; i++ { // until this process is killed
			output := OutputOf(root, "f")
			if err := pooled(t, store, output, commitA, sets[i%len(sets)]...).Publish(context.Background(), output); err != nil {
				t.Fatal(err)
			}
		}
	}
	root := t.TempDir()
	store, err := layer.Open(filepath.Join(root, "store"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	output := OutputOf(root, "f")
	if err := pooled(t, store, output, commitA, sets[0]...).Publish(t.Context(), output); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for range 40 {
		child := exec.Command(os.Args[0], "-test.run=^TestKilledPool$")
		child.Env = append(os.Environ(), where+"="+root)
		var said strings.Builder
		child.Stdout, child.Stderr = &said, &said
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20*time.Millisecond + time.Duration(rand.Int64N(int64(60*time.Millisecond))))
		_ = child.Process.Kill()
		_ = child.Wait()
		if said.Len() > 0 {
			t.Fatalf("the publication failed: %s", said.String())
		}
		got, err := poolOf(output, commitA)
		if err != nil || !slices.ContainsFunc(sets, func(s []string) bool { return slices.Equal(s, got) }) {
			t.Errorf("the pool has %v, %v", got, err)
		}
		seen[strings.Join(got, " ")]++
	}
	t.Logf("seen: %v", seen)
	if err := pooled(t, store, output, commitA, sets[1]...).Publish(t.Context(), output); err != nil {
		t.Fatal(err)
	}
	poolIs(t, output, commitA, sets[1]...)
	for _, line := range treetest.Listing(t, output.Pools()) {
		if strings.Contains(line, ".new") {
			t.Errorf("left: %s", line)
		}
	}
}
