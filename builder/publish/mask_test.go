package publish

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/plan/plantest"
	"github.com/treewright/treewright/builder/treetest"
)

func TestManifestHasNoPasswords(t *testing.T) {
	store, g := plantest.Results(t)
	output := OutputOf(t.TempDir(), "f")
	m := &Manifest{
		Distribution: ManifestDistribution{Mirror: "http://user:secret@mirror/debian"},
		Parameters:   map[string]map[string]any{"repo": {"archive_url": "https://user:secret@archive", "hosts": []string{"http://:secret@a"}}},
	}
	f := &Finished{Store: store, Graph: g, Manifest: m}
	if err := f.Publish(t.Context(), output); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{output.Public, output.Private} {
		for _, name := range contents(t, dir) {
			if text := treetest.Content(t, filepath.Join(dir, name)); strings.Contains(text, "secret") {
				t.Errorf("%s:\n%s", name, text)
			}
		}
	}
	back, err := ReadManifest(output)
	if err != nil || back.Distribution.Mirror != "http://user:***@mirror/debian" || back.Parameters["repo"]["archive_url"] != "https://user:***@archive" {
		t.Errorf("error %v, mirror %q, parameters %v", err, back.Distribution.Mirror, back.Parameters)
	}
}
