package publish

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/treetest"
)

// FuzzReadManifest: a manifest is the same when it is published and read again, and
// what is tidied up by it leaves alone what it does not name.
func FuzzReadManifest(f *testing.F) {
	f.Add([]byte(`{"flavour":"f","artifacts":[{"name":"f.raw","kind":"file"},{"name":"sub/../.","kind":"directory"}],"steps":[{"log":"logs/x.log"},{"log":"."}]}`))
	f.Add([]byte(`{"artifacts":[{"name":"../g/g.raw"},{"name":"."},{"name":"/etc/passwd"}],"steps":[{"log":"disk"},{"log":"logs/../disk"},{"log":"logs"}]}`))
	f.Add([]byte(`{"packages":[{"name":"a","version":"1"}],"parameters":{"a":{"url":"http://u:secret@h/","n":1e999}}}`))
	f.Add([]byte("null"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		root := t.TempDir()
		output := OutputOf(root, "f")
		treetest.Lay(t, root, "f/kept", "f/sub/", "g/g.raw", ".private/f/disk", ".private/f/logs/kept.log", ".private/f/published/")
		if err := os.WriteFile(output.Manifest(), raw, 0o644); err != nil {
			t.Fatal(err)
		}
		m, err := ReadManifest(output)
		if err != nil {
			return
		}
		text, err := json.MarshalIndent(m, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		masked := event.Mask(string(text))
		if err := os.WriteFile(output.Manifest(), []byte(masked), 0o644); err != nil {
			t.Fatal(err)
		}
		again, err := ReadManifest(output)
		if err != nil {
			t.Fatalf("%q is published as %q: %v", raw, masked, err)
		}
		if twice, err := json.MarshalIndent(again, "", "  "); err != nil || string(twice) != masked {
			t.Errorf("%q is published as %q, and then as %q, %v", raw, masked, twice, err)
		}
		for _, a := range m.Artifacts {
			if filepath.Clean(a.Name) == "kept" {
				return
			}
		}
		for _, s := range m.Steps {
			if filepath.Clean(s.Log) == "logs/kept.log" {
				return
			}
		}
		if err := removeStale(m, &Manifest{}, output); err != nil {
			return // a name that no file can have
		}
		for _, name := range []string{"f/kept", "g/g.raw", ".private/f/disk", ".private/f/logs/kept.log", ".private/f/published"} {
			if _, err := os.Lstat(filepath.Join(root, name)); err != nil {
				t.Errorf("%q removes %s", raw, name)
			}
		}
	})
}
