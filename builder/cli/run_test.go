package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
)

// TestMachinesAreNotPublic: disks of machines lie beside no artifact, whether
// they are kept or thrown away.
func TestMachinesAreNotPublic(t *testing.T) {
	for _, target := range []*compose.Target{nil, {}} {
		for _, persist := range []bool{false, true} {
			c := &command{options: options{output: t.TempDir(), persist: persist}}
			if err := c.open(); err != nil {
				t.Fatal(err)
			}
			s := &build.Subject{Name: "f", Spec: &compose.Spec{Flavour: &config.Flavour{Name: "f"}, Target: target}}
			out := c.builder.Output(s)
			if err := out.Make(); err != nil {
				t.Fatal(err)
			}
			dir, done, err := c.runDir(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			private := filepath.Join(c.options.output, ".private")
			if rel, err := filepath.Rel(private, dir); err != nil || !filepath.IsLocal(rel) {
				t.Errorf("the machine is in %s", dir)
			}
			if info, err := os.Stat(private); err != nil || info.Mode().Perm() != 0o700 {
				t.Errorf("%s: %v, %v", private, info, err)
			}
			if err := done(); err != nil {
				t.Error(err)
			}
			if target != nil {
				continue
			}
			if entries, err := os.ReadDir(out.Public); err != nil || len(entries) > 0 {
				t.Errorf("in the public directory: %v, %v", entries, err)
			}
		}
	}
}
