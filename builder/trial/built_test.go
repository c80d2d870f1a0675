package trial

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/build/buildtest"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/stage/image"
	"github.com/treewright/treewright/builder/task"
	"github.com/treewright/treewright/builder/treetest"
)

type noEvents struct{}

func (noEvents) Emit(event.Event) {}
func (noEvents) Close() error     { return nil }

// TestBuiltInAnotherFormat: the image that an earlier build left in a format which
// is not asked for any more is not started. The one asked for is built, and the
// other is removed.
func TestBuiltInAnotherFormat(t *testing.T) {
	before := image.Formats
	t.Cleanup(func() { image.Formats = before })
	image.Formats = append(before[:1:1], image.Format{
		Name: "boxed", Ending: ".box", Description: "a box", QEMU: "box", Tools: map[string][]string{"debian": {"boxer"}}, Convert: task.Define[image.ConvertParams]("boxed", 1, nil),
	})
	tree := t.TempDir()
	write := func(name, content string) { treetest.Write(t, filepath.Join(tree, name), content) }
	write("features/base/info.yaml", "type: platform\n")
	write("features/repo/info.yaml", "type: element\nstage: commit\nparameters:\n  os_name: {default: small}\n  ref: {default: main}\n  remote_name: {default: main}\n")
	write("features/disk/info.yaml", "type: element\nstage: image\nparameters:\n  formats: {default: [raw]}\n")
	flavour := "flavours:\n  f:\n    distribution: {suite: testing, arch: amd64}\n    features: [base, repo, disk]\n"
	built := func(formats string) (string, string) {
		t.Helper()
		write("flavours/f.yaml", flavour+formats)
		b, err := build.Open(build.Options{Tree: tree, Jobs: 1, Backend: buildtest.Backend()})
		if err != nil {
			t.Fatal(err)
		}
		project, _, err := b.Load()
		if err != nil {
			t.Fatal(err)
		}
		s, err := b.Resolve(t.Context(), project, "f")
		if err != nil {
			t.Fatal(err)
		}
		m, tools, err := Built(t.Context(), b, s, noEvents{})
		if err != nil || len(tools) == 0 {
			t.Fatal(tools, err)
		}
		got, err := b.Image(s, m)
		if err != nil {
			t.Fatal(err)
		}
		entries, err := os.ReadDir(filepath.Join(tree, ".build/f"))
		if err != nil {
			t.Fatal(err)
		}
		var files []string
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), "f.") && !strings.HasSuffix(e.Name(), ".json") {
				files = append(files, e.Name())
			}
		}
		sums := treetest.Content(t, filepath.Join(tree, ".build/f/SHA256SUMS"))
		for _, name := range []string{"f.raw", "f.box"} {
			if strings.Contains(sums, " *"+name+"\n") != slices.Contains(files, name) {
				t.Errorf("there are %q, and SHA256SUMS says\n%s", files, sums)
			}
		}
		return filepath.Base(got.Path) + " " + got.Format, strings.Join(files, " ")
	}
	for _, c := range [][3]string{
		{"", "f.raw raw", "f.raw"},
		{"    set: {disk: {formats: [boxed]}}\n", "f.box box", "f.box"},
		// The one that is there will do: nothing is built.
		{"    set: {disk: {formats: [raw, boxed]}}\n", "f.box box", "f.box"},
		{"", "f.raw raw", "f.raw"},
	} {
		if started, files := built(c[0]); started != c[1] || files != c[2] {
			t.Errorf("with %q: %s is started, and there are %s; want %s, and %s", c[0], started, files, c[1], c[2])
		}
	}
}
