package extension

import (
	"slices"
	"testing"

	"github.com/treewright/treewright/builder/distro/debian"
)

// Packages of a machine bring indices again that the system has, made of both. An extension of a feature does not, and nothing brings other
// changed files. Bytecode of a module that did not change is left out.
func TestSharedIndices(t *testing.T) {
	base := map[string]string{
		"usr/share/mime/mime.cache": "system", "usr/share/glib-2.0/schemas/gschemas.compiled": "system", "usr/share/icons/hicolor/icon-theme.cache": "system",
		"usr/lib/x86_64-linux-gnu/gio/modules/giomodule.cache": "system", "usr/share/other.cache": "system",
		"usr/lib/python3/dist-packages/m.py": "module", "usr/lib/python3/dist-packages/__pycache__/m.cpython-314.pyc": "old",
		"usr/lib/python3/dist-packages/n.py": "module", "usr/lib/python3/dist-packages/__pycache__/n.cpython-314.pyc": "old",
	}
	changes := map[string]string{"usr/lib/python3/dist-packages/n.py": "changed"}
	for name := range base {
		if name[len(name)-3:] != ".py" {
			changes[name] = "both together"
		}
	}
	indices := []string{
		"usr/lib/x86_64-linux-gnu/gio/modules/giomodule.cache", "usr/share/glib-2.0/schemas/gschemas.compiled",
		"usr/share/icons/hicolor/icon-theme.cache", "usr/share/mime/mime.cache",
	}
	for _, packages := range []bool{true, false} {
		system := sampleTree(t, base)
		trees := extensionTrees{extended: sampleTree(t, with(base, changes)), system: system, committed: system, distro: debian.Family{}, packages: packages}
		d, err := trees.diff(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		want, conflicts := indices, []string{
			"/usr/lib/python3/dist-packages/__pycache__/n.cpython-314.pyc: content changed", "/usr/lib/python3/dist-packages/n.py: content changed", "/usr/share/other.cache: content changed",
		}
		if !packages {
			want = nil
			for _, name := range indices {
				conflicts = append(conflicts, "/"+name+": content changed")
			}
			slices.Sort(conflicts)
		}
		var got []string
		for _, l := range d.leaving {
			got = append(got, l.path)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) || !slices.Equal(d.conflicts, conflicts) {
			t.Errorf("of packages %v: leaving %q, conflicts %q", packages, got, d.conflicts)
		}
	}
}
