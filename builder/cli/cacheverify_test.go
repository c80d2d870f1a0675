package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/source"
	"github.com/treewright/treewright/builder/treefs"
)

// fillCache puts one of each kind into a cache and returns where they are.
func fillCache(t *testing.T, cache string) map[string]string {
	t.Helper()
	at := map[string]string{}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	content := []byte("a package")
	sum := sha256.Sum256(content)
	name := hex.EncodeToString(sum[:])
	at["download"] = filepath.Join(cache, "packages/sha256", name[:2], name)
	must(os.MkdirAll(filepath.Dir(at["download"]), 0o755))
	if !treefs.Exists(at["download"]) { // else a result has it, by a link
		must(os.WriteFile(at["download"], content, 0o644))
	}

	store, err := layer.Open(filepath.Join(cache, "store"))
	must(err)
	defer store.Close()
	for _, step := range []string{"layer", "fetch"} {
		key := strings.Repeat(step[:1], 64)
		d, err := store.Begin(key)
		must(err)
		at[step] = filepath.Join(store.Data(key), "file")
		if step == "fetch" {
			must(os.Link(at["download"], filepath.Join(d.Data, "file")))
		} else {
			must(os.WriteFile(filepath.Join(d.Data, "file"), content, 0o644))
		}
		must(d.Commit(layer.Result{Step: "rootfs/" + step}))
	}
	src, err := source.Snapshots{Root: filepath.Join(cache, "sources")}.ImportBytes("x", "file", content)
	must(err)
	at["snapshot"] = filepath.Join(src.Path, "file")
	at["resolved"] = filepath.Join(cache, "resolved", "x.json")
	must(os.MkdirAll(filepath.Dir(at["resolved"]), 0o755))
	must(layer.WriteSealed(at["resolved"], content, 0o644))
	at["history"] = filepath.Join(cache, "history", name, "config")
	must(os.MkdirAll(filepath.Join(filepath.Dir(at["history"]), "objects"), 0o755))
	must(os.WriteFile(at["history"], []byte("[core]\nrepo_version=1\nmode=archive\n"), 0o644))
	return at
}

func TestCacheVerify(t *testing.T) {
	cache := t.TempDir()
	verify := func() (string, error) {
		t.Helper()
		out, err := os.Create(filepath.Join(t.TempDir(), "out"))
		if err != nil {
			t.Fatal(err)
		}
		defer out.Close()
		c := &command{Out: streamOn(out), Err: streamOn(out), options: options{cache: cache}}
		if err := c.open(); err != nil {
			t.Fatal(err)
		}
		failed := c.cacheVerify(context.Background())
		text, err := os.ReadFile(out.Name())
		if err != nil {
			t.Fatal(err)
		}
		return string(text), failed
	}
	if text, err := verify(); err != nil || !strings.Contains(text, "checked 0 results, 0 downloads, 0 snapshots of source files, 0 resolved package sets, 0 downloaded histories") {
		t.Errorf("an empty cache: %q, error %v", text, err)
	}
	for kind, want := range map[string][]string{
		"layer":    {"the result of rootfs/layer in the cache is damaged: "},
		"download": {"the result of rootfs/fetch in the cache is damaged: ", "has another SHA-256 than the one in its name"},
		"snapshot": {"has another digest than the one in its name"},
		"resolved": {"differs from what was written"},
		"history":  {"is incomplete or damaged: "},
	} {
		at := fillCache(t, cache)
		if text, err := verify(); err != nil || !strings.Contains(text, "nothing is damaged") || !strings.Contains(text, "checked 2 results, 1 downloads") {
			t.Fatalf("a good cache: %q, error %v", text, err)
		}
		raw, err := os.ReadFile(at[kind])
		if err != nil {
			t.Fatal(err)
		}
		raw[len(raw)-3] ^= 1
		if err := os.WriteFile(at[kind], raw, 0o644); err != nil {
			t.Fatal(err)
		}
		text, err := verify()
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf(", %d were damaged and have been removed", len(want))) {
			t.Errorf("%s: error %v, want one that counts %d", kind, err, len(want))
		}
		for _, w := range append(want, filepath.Dir(at[kind])) {
			if !strings.Contains(text, w) {
				t.Errorf("%s: said %q, want %q", kind, text, w)
			}
		}
		if _, err := os.Stat(at[kind]); !os.IsNotExist(err) {
			t.Errorf("%s is still there, error %v", kind, err)
		}
		if text, err := verify(); err != nil {
			t.Errorf("%s: after it was removed: %q, error %v", kind, text, err)
		}
	}
	at := fillCache(t, cache)
	if err := os.WriteFile(filepath.Join(filepath.Dir(filepath.Dir(at["layer"])), "result.json"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if text, err := verify(); err == nil || !strings.Contains(text, "result.json is not what was written") {
		t.Errorf("an empty record: %q, error %v", text, err)
	}
}
