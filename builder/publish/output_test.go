package publish

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/treewright/treewright/builder/plan/plantest"
	"github.com/treewright/treewright/builder/treetest"
)

// contents lists the files below dir, sorted.
func contents(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			names = append(names, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestPublicIsArtifactsAlone(t *testing.T) {
	store, g := plantest.Results(t)
	root := t.TempDir()
	output := OutputOf(root, "f")
	for range 2 {
		if err := (&Finished{Store: store, Graph: g, Manifest: &Manifest{}}).Publish(t.Context(), output); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := contents(t, output.Public), []string{"SHA256SUMS", "tar", "x"}; !slices.Equal(got, want) {
		t.Errorf("in the public directory: %v, want %v", got, want)
	}
	if _, err := ReadManifest(output); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(filepath.Join(root, ".private")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the private directory: %v, %v", info, err)
	}
	private := contents(t, output.Private)
	if !slices.Contains(private, ManifestName) || !slices.Contains(private, "logs/artifacts-x.log") {
		t.Errorf("private: %v", private)
	}
}

// TestTakeOver: what an earlier version had beside the artifacts moves, and a
// machine that is kept keeps its disk.
func TestTakeOver(t *testing.T) {
	root := t.TempDir()
	output := OutputOf(root, "f")
	treetest.WriteAll(t, output.Public, map[string]string{
		"manifest.json":            `{"artifacts": [{"name": "f.raw", "kind": "file"}, {"name": "gone.raw", "kind": "file"}, {"name": "test", "kind": "directory"}]}`,
		"logs/a.log":               "log",
		"persist/shared/disk.qcow": "disk",
		".run-1/shared/disk.qcow":  "disk",
		".lock":                    "",
		"f.raw":                    "image",
		"gone.raw":                 "stale",
		"test/usr/x":               "an extension called test",
		"repo/config":              "",
	})
	if err := output.Make(); err != nil {
		t.Fatal(err)
	}
	if moved, err := output.TakeOver(t.Context(), func() { t.Error("waited") }); err != nil || !moved {
		t.Fatalf("moved %v, %v", moved, err)
	}
	if got, want := contents(t, output.Public), []string{"f.raw", "gone.raw", "repo/config", "test/usr/x"}; !slices.Equal(got, want) {
		t.Errorf("left: %v", got)
	}
	want := []string{".run-1/shared/disk.qcow", "logs/a.log", "manifest.json", "persist/shared/disk.qcow"}
	if got := contents(t, output.Private); !slices.Equal(got, want) {
		t.Errorf("moved: %v", got)
	}
	if moved, err := output.TakeOver(t.Context(), nil); err != nil || moved {
		t.Errorf("a second time: %v, %v", moved, err)
	}

	// The earlier version is used once more, and leaves a disk of its own.
	treetest.WriteAll(t, output.Public, map[string]string{"manifest.json": `{}`, "persist/shared/disk.qcow": "other"})
	if _, err := output.TakeOver(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"persist": "disk", "persist.old1": "other"} {
		if got, err := os.ReadFile(filepath.Join(output.Private, name, "shared/disk.qcow")); string(got) != want {
			t.Errorf("the disk in %s is %q, %v", name, got, err)
		}
	}

	// What was made and is not made any more is tidied up from the old manifest.
	store, g := plantest.Results(t)
	treetest.WriteAll(t, output.Private, map[string]string{"manifest.json": `{"artifacts": [{"name": "gone.raw", "kind": "file"}]}`})
	if err := (&Finished{Store: store, Graph: g, Manifest: &Manifest{}}).Publish(t.Context(), output); err != nil {
		t.Fatal(err)
	}
	if got := contents(t, output.Public); slices.Contains(got, "gone.raw") {
		t.Errorf("still there: %v", got)
	}
}

func TestTakeOverOfACName(t *testing.T) {
	root := t.TempDir()
	output := PrivateOutput(root, ".targets", "kvm-amd64-1")
	treetest.WriteAll(t, filepath.Join(root, ".targets"), map[string]string{
		"kvm-amd64-1/manifest.json": `{"artifacts": [{"name": "tar", "kind": "file"}]}`, "kvm-amd64-1/tar": "tar", "kvm-amd64-1/persist/disk": "disk",
	})
	if err := output.Make(); err != nil {
		t.Fatal(err)
	}
	if moved, err := output.TakeOver(t.Context(), nil); err != nil || !moved {
		t.Fatalf("moved %v, %v", moved, err)
	}
	if got, want := contents(t, root), []string{".private/.targets/kvm-amd64-1/manifest.json", ".private/.targets/kvm-amd64-1/persist/disk", ".private/.targets/kvm-amd64-1/tar"}; !slices.Equal(got, want) {
		t.Errorf("there are %v", got)
	}
	if _, err := os.Stat(filepath.Join(root, ".targets")); err == nil {
		t.Error("the earlier directory is still there")
	}
}

// TestTakeOverOfAFailedBuild: it left logs and no manifest.
func TestTakeOverOfAFailedBuild(t *testing.T) {
	output := OutputOf(t.TempDir(), "f")
	treetest.WriteAll(t, output.Public, map[string]string{".lock": "", "logs/a": ""})
	if err := output.Make(); err != nil {
		t.Fatal(err)
	}
	if moved, err := output.TakeOver(t.Context(), nil); err != nil || !moved {
		t.Fatalf("moved %v, %v", moved, err)
	}
	if got := contents(t, output.Public); len(got) > 0 {
		t.Errorf("left: %v", got)
	}
}

func TestTakeOverOfABadManifest(t *testing.T) {
	output := OutputOf(t.TempDir(), "f")
	treetest.WriteAll(t, output.Public, map[string]string{"manifest.json": "{", "logs/a": "", "x.raw": ""})
	if err := output.Make(); err != nil {
		t.Fatal(err)
	}
	if moved, err := output.TakeOver(t.Context(), nil); err != nil || !moved {
		t.Fatalf("moved %v, %v", moved, err)
	}
	if got := contents(t, output.Public); !slices.Equal(got, []string{"x.raw"}) {
		t.Errorf("left: %v", got)
	}
}
