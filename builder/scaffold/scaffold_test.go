package scaffold

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/treetest"
)

func load(t *testing.T, tree string) *config.Project {
	t.Helper()
	p, diags := config.Load(os.DirFS(tree), config.Options{})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	return p
}

// TestWhatIsWrittenCanBeRead: features of all types, and a flavour of the project's
// own features, have neither fault nor warning.
func TestWhatIsWrittenCanBeRead(t *testing.T) {
	tree := t.TempDir()
	if err := os.CopyFS(filepath.Join(tree, "features"), os.DirFS(filepath.Join(treetest.Shipped(t), "features"))); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]config.FeatureType{"tools": config.Element, "_quiet": config.Flag, "sysext-mine": config.Extension} {
		wrote, err := Feature(tree, name)
		if err != nil {
			t.Fatal(err)
		}
		if script := "features/" + name + "/exec.config"; slices.Contains(wrote, script) == (want == config.Extension) {
			t.Errorf("%s: wrote %v", name, wrote)
		}
		if f := load(t, tree).Features[name]; f == nil || f.Type != want {
			t.Errorf("%s is read as %+v", name, f)
		}
	}
	wrote, err := Flavour(tree, "mine", load(t, tree))
	if err != nil || !slices.Equal(wrote, []string{"flavours/mine.hcl"}) {
		t.Fatalf("wrote %v, error %v", wrote, err)
	}
	if p := load(t, tree); len(p.Flavours) != 1 || p.Flavours[0].Name != "mine" {
		t.Errorf("the flavours are %v", p.Flavours)
	}
}

// TestNothingIsTouched: neither what is there nor what is outside of the tree.
func TestNothingIsTouched(t *testing.T) {
	tree := t.TempDir()
	if _, err := Feature(tree, "a"); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(tree, "features/a/info.yaml")
	if err := os.WriteFile(file, []byte("type: flag\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if wrote, err := Feature(tree, "a"); err == nil || len(wrote) > 0 || !strings.Contains(err.Error(), "already") {
		t.Errorf("wrote %v, error %v", wrote, err)
	}
	if text, _ := os.ReadFile(file); string(text) != "type: flag\n" {
		t.Errorf("info.yaml is now %q", text)
	}
	for _, name := range []string{"../a", "", "a/b", ".a"} {
		if wrote, err := Feature(tree, name); err == nil {
			t.Errorf("feature %q: wrote %v", name, wrote)
		}
		if wrote, err := Flavour(tree, name, &config.Project{}); err == nil {
			t.Errorf("flavour %q: wrote %v", name, wrote)
		}
	}
	if entries, err := os.ReadDir(tree); err != nil || len(entries) != 1 {
		t.Errorf("in the tree are %v, %v", entries, err)
	}
}
