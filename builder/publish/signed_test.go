package publish

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/treewright/treewright/builder/format"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/task"
	"github.com/treewright/treewright/builder/verity"
)

// signedStore has the result of a step that made an image with a place for a signature.
func signedStore(t *testing.T) (*layer.Store, *plan.Graph) {
	t.Helper()
	store := openStore(t)
	g := graphOf(t, plan.Step{ID: "image", Stage: "extension", Action: "a", Output: plan.Dir, Artifacts: []plan.Artifact{{Name: "x.raw", Path: "x.raw", Kind: plan.FileArtifact}}})
	draft, err := store.Begin(g.Key("image"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(draft.Data, "x.raw")
	if err := errors.Join(os.WriteFile(file, append([]byte("data"), make([]byte, 4092+verity.PartitionSize)...), 0o644), os.WriteFile(draft.Log, nil, 0o644)); err != nil {
		t.Fatal(err)
	}
	sum, err := layer.HashFile(file)
	if err != nil {
		t.Fatal(err)
	}
	job := task.Task{Facts: map[string]string{}}
	job.NoteVerity(format.Verity{RootHash: "abc", DataAt: 1, SignatureAt: 4096})
	err = draft.Commit(layer.Result{Step: "image", Facts: job.Facts, Files: []layer.File{{Name: "x.raw", Path: "x.raw", Size: 4096 + verity.PartitionSize, SHA256: sum}}})
	if err != nil {
		t.Fatal(err)
	}
	return store, g
}

// TestSigned: the published image has the signature, sums are those of the file as it is, the
// cache keeps the image without one, and what is published is offered to the signer.
func TestSigned(t *testing.T) {
	store, g := signedStore(t)
	output := OutputOf(t.TempDir(), "x")
	file := filepath.Join(output.Public, "x.raw")
	var offered []byte
	publish := func(letter string) (*Manifest, error) {
		f := &Finished{Store: store, Graph: g, Manifest: &Manifest{}, Say: func(line string) { t.Errorf("printed %s", line) }}
		if letter != "" {
			f.SignVerity = func(_ context.Context, rootHash string, have []byte) ([]byte, error) {
				if offered = have; rootHash != "abc" {
					t.Errorf("the root hash is %q", rootHash)
				}
				return bytes.Repeat([]byte(letter), verity.PartitionSize), nil
			}
		}
		return f.Manifest, f.Publish(t.Context(), output)
	}
	if _, err := publish(""); err == nil || !strings.Contains(err.Error(), "there is no key") {
		t.Errorf("without a signer: %v", err)
	}
	inode := uint64(0)
	for _, letter := range []string{"a", "a", "b"} {
		before := offered
		m, err := publish(letter)
		if err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(file)
		if err != nil || string(content[:4]) != "data" || !bytes.Equal(content[4096:], bytes.Repeat([]byte(letter), verity.PartitionSize)) {
			t.Fatalf("%s: the published image is not signed: %v", letter, err)
		}
		sum, err := layer.HashFile(file)
		if err != nil || len(m.Artifacts) != 1 || m.Artifacts[0].SHA256 != sum || *m.Artifacts[0].Verity != (ManifestVerity{"abc", 1, 4096}) {
			t.Errorf("%s: the manifest has %+v, the file %s, %v", letter, m.Artifacts, sum, err)
		}
		sums, err := os.ReadFile(filepath.Join(output.Public, SumsName))
		if err != nil || !strings.HasPrefix(string(sums), sum) {
			t.Errorf("%s: the sums are %s, %v", letter, sums, err)
		}
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if now := info.Sys().(*syscall.Stat_t).Ino; before != nil && letter == "a" && now != inode {
			t.Error("the same signature made another file")
		} else {
			inode = now
		}
	}
	if !bytes.Equal(offered, bytes.Repeat([]byte("a"), verity.PartitionSize)) {
		t.Error("the signer was not offered what was published")
	}
	data, err := store.Open(g.Key("image"))
	if err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(filepath.Join(data, "x.raw")); err != nil || bytes.Contains(content, []byte("aaa")) {
		t.Errorf("the cache has a signature: %v", err)
	}
}

// TestUnsigned: what has a place for a signature is published without one if that is asked
// for, also in place of a signed one, and the manifest shows it.
func TestUnsigned(t *testing.T) {
	store, g := signedStore(t)
	output := OutputOf(t.TempDir(), "x")
	for _, unsigned := range []bool{false, true} {
		f := &Finished{Store: store, Graph: g, Manifest: &Manifest{}, Unsigned: unsigned}
		f.SignVerity = func(context.Context, string, []byte) ([]byte, error) {
			if unsigned {
				t.Error("the signer was asked")
			}
			return bytes.Repeat([]byte("a"), verity.PartitionSize), nil
		}
		if err := f.Publish(t.Context(), output); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(filepath.Join(output.Public, "x.raw"))
		if err != nil || bytes.Contains(content, []byte("aaa")) == unsigned {
			t.Errorf("unsigned %v: %v", unsigned, err)
		}
		if shown := strings.Contains(f.Manifest.Artifacts[0].Description, "not in this build"); shown != unsigned {
			t.Errorf("unsigned %v: the artifact is described as %q", unsigned, f.Manifest.Artifacts[0].Description)
		}
	}
}
