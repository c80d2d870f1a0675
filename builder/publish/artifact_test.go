package publish

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/treetest"
)

// artifactStore has the result of a step with a file and a directory, whose file
// has a mode.
func artifactStore(t *testing.T, mode os.FileMode) (*layer.Store, *plan.Graph) {
	t.Helper()
	store := openStore(t)
	g := graphOf(t, plan.Step{ID: "extension/x/image", Stage: "extension", Action: "a", Output: plan.Dir, Artifacts: []plan.Artifact{
		{Name: "x.raw", Path: "image", Kind: plan.FileArtifact}, {Name: "x", Path: "tree", Kind: plan.DirArtifact},
	}})
	makeArtifacts(t, store, g, mode)
	return store, g
}

func makeArtifacts(t *testing.T, store *layer.Store, g *plan.Graph, mode os.FileMode) {
	t.Helper()
	draft, err := store.Begin(g.Key("extension/x/image"))
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		os.WriteFile(filepath.Join(draft.Data, "image"), []byte("image"), 0o644),
		os.MkdirAll(filepath.Join(draft.Data, "tree/usr"), 0o755),
		os.WriteFile(filepath.Join(draft.Data, "tree/usr/file"), []byte("file"), 0o600),
		os.Chmod(filepath.Join(draft.Data, "tree/usr/file"), mode),
		os.WriteFile(draft.Log, []byte("said\n"), 0o644),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	var files []layer.File
	for _, a := range g.Step("extension/x/image").Artifacts {
		path := filepath.Join(draft.Data, a.Path)
		f := layer.File{Name: a.Name, Path: a.Path, Size: layer.DiskUsage(path)}
		if a.Kind == plan.FileArtifact {
			if f.SHA256, err = layer.HashFile(path); err != nil {
				t.Fatal(err)
			}
		}
		files = append(files, f)
	}
	if err := draft.Commit(layer.Result{Step: "extension/x/image", Files: files}); err != nil {
		t.Fatal(err)
	}
}

// publishArtifacts publishes as the next build does, and returns what was said.
func publishArtifacts(t *testing.T, root string, g *plan.Graph, output Output) (said []string, err error) {
	t.Helper()
	store, err := layer.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	f := &Finished{Store: store, Graph: g, Manifest: &Manifest{}, Say: func(line string) { said = append(said, line) }}
	return said, f.Publish(t.Context(), output)
}

// inodes are the inodes of all regular files.
func inodes(t *testing.T, dir string) map[string]uint64 {
	t.Helper()
	found := map[string]uint64{}
	for _, name := range []string{"x.raw", "x/usr/file"} {
		var st unix.Stat_t
		if err := unix.Lstat(filepath.Join(dir, name), &st); err != nil {
			t.Fatal(err)
		}
		if st.Nlink != 1 {
			t.Errorf("%s has %d names", name, st.Nlink)
		}
		found[name] = st.Ino
	}
	return found
}

// TestPublishedSetUserID: a program of a layer that gives its rights to anyone who
// starts it is not handed to every user of this machine.
func TestPublishedSetUserID(t *testing.T) {
	store, g := artifactStore(t, os.ModeSetuid|0o755)
	output := OutputOf(t.TempDir(), "x")
	said, err := publishArtifacts(t, rootOf(store), g, output)
	if err != nil || len(said) != 1 || !strings.Contains(said[0], "x has a program that runs with more rights than its user's (/usr/file)") {
		t.Errorf("said %q, error %v", said, err)
	}
	for name, want := range map[string]os.FileMode{"x": os.ModeDir | 0o700, "x/usr/file": os.ModeSetuid | 0o755} {
		if info, err := os.Lstat(filepath.Join(output.Public, name)); err != nil || info.Mode() != want {
			t.Errorf("%s has mode %v, want %v; error %v", name, info.Mode(), want, err)
		}
	}
	if said, err := publishArtifacts(t, rootOf(store), g, output); err != nil || len(said) != 0 {
		t.Errorf("again: said %q, error %v", said, err)
	}
}

// TestPublishedWithoutRecords: what cannot be noted any more when all is published
// does not make the build a failed one, whose artifacts are there all the same.
func TestPublishedWithoutRecords(t *testing.T) {
	store, g := artifactStore(t, 0o600)
	output := OutputOf(t.TempDir(), "x")
	if err := output.Make(); err != nil {
		t.Fatal(err)
	}
	// Nothing can be read there, and nothing written.
	if err := errors.Join(os.MkdirAll(output.Records(), 0o700), os.Symlink("nowhere/x", output.record("x"))); err != nil {
		t.Fatal(err)
	}
	said, err := publishArtifacts(t, rootOf(store), g, output)
	if err != nil || len(said) != 1 || !strings.Contains(said[0], "no such file or directory; the build is published") {
		t.Errorf("said %q, error %v", said, err)
	}
	if m, err := ReadManifest(output); err != nil || len(m.Artifacts) != 2 {
		t.Errorf("manifest %+v, error %v", m, err)
	}
}

// TestPublishedFilesAreCopies: what a user does to an artifact does not reach the
// cache, and the next build puts it right and says so. What is as it was is not
// copied again.
func TestPublishedFilesAreCopies(t *testing.T) {
	store, g := artifactStore(t, 0o600)
	key := g.Key("extension/x/image")
	output := OutputOf(t.TempDir(), "x")
	if said, err := publishArtifacts(t, rootOf(store), g, output); err != nil || len(said) != 0 {
		t.Fatalf("said %q, error %v", said, err)
	}
	published := func(name string) string { return filepath.Join(output.Public, name) }
	before := inodes(t, output.Public)
	if said, err := publishArtifacts(t, rootOf(store), g, output); err != nil || len(said) != 0 || fmt.Sprint(inodes(t, output.Public)) != fmt.Sprint(before) {
		t.Errorf("copied again; said %q, error %v", said, err)
	}

	past := time.Unix(1, 0)
	tests := map[string]struct {
		do   func() error
		said []string
	}{
		"a file and a directory are written to": {func() error {
			return errors.Join(os.WriteFile(published("x.raw"), []byte("image and more"), 0o644), os.WriteFile(published("x/usr/file"), []byte("FILE"), 0o600))
		}, []string{"x.raw has 14 bytes, not 5", "x/usr/file was changed at"}},
		"times": {func() error { return os.Chtimes(published("x.raw"), past, past) }, []string{"x.raw was changed at 1970-01-01 00:00:01; its time was"}},
		"modes": {func() error { return os.Chmod(published("x/usr"), 0o700) }, []string{"x/usr has mode 0700, not 0755"}},
		"one more file": {func() error {
			info, err := os.Stat(published("x/usr"))
			return errors.Join(err, os.WriteFile(published("x/usr/more"), nil, 0o644), os.Chtimes(published("x/usr"), info.ModTime(), info.ModTime()))
		}, []string{"x/usr holds more, which was not made by a step"}},
		"a byte, with its time put back": {func() error {
			info, err := os.Stat(published("x.raw"))
			return errors.Join(err, os.WriteFile(published("x.raw"), []byte("imAge"), 0o644), os.Chtimes(published("x.raw"), info.ModTime(), info.ModTime()))
		}, []string{"x.raw has other content"}},
		"nothing is left":   {func() error { return errors.Join(os.Remove(published("x.raw")), os.RemoveAll(published("x"))) }, nil},
		"no record is left": {func() error { return os.RemoveAll(output.Records()) }, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if err := test.do(); err != nil {
				t.Fatal(err)
			}
			again, err := layer.Open(rootOf(store))
			if err != nil {
				t.Fatal(err)
			}
			if err := again.Verify(key); err != nil {
				t.Errorf("it reached the cache: %v", err)
			}
			said, err := publishArtifacts(t, rootOf(store), g, output)
			if err != nil || len(said) != len(test.said) {
				t.Fatalf("said %q, error %v; want %q", said, err, test.said)
			}
			slices.Sort(said)
			for i, want := range test.said {
				if !strings.Contains(said[i], "/"+want) {
					t.Errorf("said %q, want %q", said, want)
				}
			}
			if raw, err := os.ReadFile(published("x.raw")); err != nil || string(raw) != "image" {
				t.Errorf("the file is not put right: %q, error %v", raw, err)
			}
			for part, where := range map[string]string{"tree": published("x")} {
				if got, want := fmt.Sprint(treetest.Listing(t, where)), fmt.Sprint(treetest.Listing(t, filepath.Join(store.Data(key), part))); got != want {
					t.Errorf("the directory is not put right:\n%s\nwant\n%s", got, want)
				}
			}
			if said, err := publishArtifacts(t, rootOf(store), g, output); err != nil || len(said) != 0 {
				t.Errorf("after that: said %q, error %v", said, err)
			}
		})
	}
}

// TestDamagedArtifact: a damaged result is not published, and does not count from then on.
func TestDamagedArtifact(t *testing.T) {
	store, g := artifactStore(t, 0o600)
	key := g.Key("extension/x/image")
	output := OutputOf(t.TempDir(), "x")
	if err := os.WriteFile(filepath.Join(store.Data(key), "image"), []byte("imAge"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := publishArtifacts(t, rootOf(store), g, output)
	var damage *layer.Damage
	if !errors.As(err, &damage) || damage.Path != filepath.Join(store.Data(key), "image") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(filepath.Join(output.Public, "x.raw")); !os.IsNotExist(err) {
		t.Errorf("it was published, error %v", err)
	}
	if _, ok, err := store.Get(key); ok || err != nil {
		t.Errorf("it is a result, error %v", err)
	}
	makeArtifacts(t, store, g, 0o600)
	if _, err := publishArtifacts(t, rootOf(store), g, output); err != nil {
		t.Error(err)
	}
}

// rootOf is the directory of a store.
func rootOf(s *layer.Store) string { return filepath.Join(s.Data("any"), "../../..") }
