package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/compose"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/publish"
)

// TestMachinesAreNotPublic: disks of machines lie beside no artifact, whether
// they are kept or thrown away.
func TestMachinesAreNotPublic(t *testing.T) {
	outputs := []func(root string) publish.Output{
		func(root string) publish.Output { return publish.OutputOf(root, "f") },
		func(root string) publish.Output { return publish.PrivateOutput(root, "kind", "f") },
	}
	for _, output := range outputs {
		for _, persist := range []bool{false, true} {
			c := &command{options: options{output: t.TempDir()}}
			if err := c.open(); err != nil {
				t.Fatal(err)
			}
			s := &build.Subject{Name: "f", Spec: &compose.Spec{Flavour: &config.Flavour{Name: "f"}}, Output: output}
			out := c.builder.Output(s)
			if err := out.Make(); err != nil {
				t.Fatal(err)
			}
			o := &runOptions{persist: persist}
			dir, done, err := o.dir(t.Context(), c, s)
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
	said, err := os.Create(filepath.Join(t.TempDir(), "said"))
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	c := &command{Err: stream{said}, options: options{output: t.TempDir()}}
	if err := c.open(); err != nil {
		t.Fatal(err)
	}
	s := &build.Subject{
		Name: "f", Spec: &compose.Spec{Flavour: &config.Flavour{Name: "f"}},
		Output: func(root string) publish.Output { return publish.OutputOf(root, "f") },
	}
	o := &runOptions{persist: true}
	_, done, err := o.dir(t.Context(), c, s)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel) // Ctrl-C
	if _, _, err := o.dir(ctx, c, s); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if text, _ := os.ReadFile(said.Name()); !strings.Contains(string(text), "the machine that is kept for f is running") {
		t.Errorf("said %q", text)
	}
	if err := done(); err != nil {
		t.Error(err)
	}
}
