package trial

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/publish"
)

// TestMachinesAreNotPublic: disks of machines are beside no artifact, whether
// they are kept or thrown away.
func TestMachinesAreNotPublic(t *testing.T) {
	outputs := []func(root string) publish.Output{
		func(root string) publish.Output { return publish.OutputOf(root, "f") },
		func(root string) publish.Output { return publish.PrivateOutput(root, "kind", "f") },
	}
	for _, output := range outputs {
		for _, persist := range []bool{false, true} {
			root := t.TempDir()
			out := output(root)
			if err := out.Make(); err != nil {
				t.Fatal(err)
			}
			dir, done, err := Machine{Persist: persist}.directory(t.Context(), out.Private, "f")
			if err != nil {
				t.Fatal(err)
			}
			private := filepath.Join(root, ".private")
			if rel, err := filepath.Rel(private, dir); err != nil || !filepath.IsLocal(rel) {
				t.Errorf("the machine is in %s", dir)
			}
			if info, err := os.Stat(private); err != nil || info.Mode().Perm() != 0o700 {
				t.Errorf("%s: %v, %v", private, info, err)
			}
			if err := done(); err != nil {
				t.Error(err)
			}
			if out.Public == out.Private {
				continue
			}
			if entries, err := os.ReadDir(out.Public); err != nil || len(entries) > 0 {
				t.Errorf("in the public directory: %v, %v", entries, err)
			}
		}
	}
}

// TestKeptMachineIsWaitedFor: who waits for a machine that is kept can have enough
// of it.
func TestKeptMachineIsWaitedFor(t *testing.T) {
	out := publish.OutputOf(t.TempDir(), "f")
	if err := out.Make(); err != nil {
		t.Fatal(err)
	}
	var said []string
	w := Machine{Persist: true, Say: func(line string) { said = append(said, line) }}
	_, done, err := w.directory(t.Context(), out.Private, "f")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel) // Ctrl-C
	if _, _, err := w.directory(ctx, out.Private, "f"); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if text := strings.Join(said, "\n"); !strings.Contains(text, "the virtual machine with the kept disk of f is running") {
		t.Errorf("said %q", text)
	}
	if err := done(); err != nil {
		t.Error(err)
	}
}
