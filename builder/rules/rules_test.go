package rules

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/publish"
	"github.com/treewright/treewright/builder/stage"
	"github.com/treewright/treewright/builder/stage/image"
)

// tree has a flavour without an image, and one with an image in formats.
func tree(formats string) Flavours {
	return Flavours{Options: config.Options{Choices: stage.Choices()}, Tree: fstest.MapFS{
		"flavours/all.yaml":       {Data: []byte("flavours:\n  plain:\n    distribution: {suite: testing}\n    features: [base]\n  disk:\n    distribution: {suite: testing}\n    features: [base, repo, disk]\n")},
		"features/base/info.yaml": {Data: []byte("type: platform\n")},
		"features/repo/info.yaml": {Data: []byte("type: element\nstage: commit\n")},
		"features/disk/info.yaml": {Data: []byte("type: element\nstage: image\nparameters:\n  formats: {default: " + formats + "}\n")},
	}}
}

func subject(t *testing.T, r Flavours, name string) *Subject {
	t.Helper()
	p, diags := r.Load()
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	s, err := r.Resolve(t.Context(), p, name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestImageToStart: a machine is started with the first image that the flavour asks
// for and the last build made, whatever else the last build made.
func TestImageToStart(t *testing.T) {
	before := image.Formats
	t.Cleanup(func() { image.Formats = before })
	image.Formats = append(before[:1:1], image.Format{Name: "boxed", Ending: ".box", QEMU: "boxed-qemu"}, image.Format{Name: "sealed", Ending: ".sealed"})
	for _, c := range []struct {
		formats, made string
		want          Image
		missing       string
	}{
		{"[raw]", "disk-repo disk.raw", Image{"disk.raw", "raw"}, ""},
		{"[boxed, raw]", "disk.box disk.raw", Image{"disk.raw", "raw"}, ""},
		{"[boxed, raw]", "disk.box", Image{"disk.box", "boxed-qemu"}, ""},
		{"[boxed]", "disk.raw disk.box", Image{"disk.box", "boxed-qemu"}, ""},
		{"[boxed]", "disk.raw", Image{}, `the last build of flavour "disk" made no disk.box`},
		{"[sealed]", "disk.sealed disk.raw", Image{}, "add raw to the parameter formats of disk"},
	} {
		s := subject(t, tree(c.formats), "disk")
		m := &publish.Manifest{}
		for _, name := range strings.Fields(c.made) {
			m.Artifacts = append(m.Artifacts, publish.ManifestArtifact{Name: name})
		}
		if got, ok := s.Image(m); got != c.want || ok == (c.missing != "") || !strings.Contains(s.NoImage, c.missing) {
			t.Errorf("formats %s, of which there are %s: %+v, %v; without: %s", c.formats, c.made, got, ok, s.NoImage)
		}
	}
	if s := subject(t, tree("[raw]"), "plain"); len(s.Images) != 0 || !strings.Contains(s.NoImage, "needs a feature with stage: image") {
		t.Errorf("a flavour without an image has %v; without: %s", s.Images, s.NoImage)
	}
}

// TestFormatsAreNotToldToScripts: they would run again for another format, and the
// next commit would be made.
func TestFormatsAreNotToldToScripts(t *testing.T) {
	s := subject(t, tree("[raw]"), "disk")
	if _, declared := s.Spec.Parameters["disk"][image.FormatsParameter]; !declared {
		t.Fatal("the parameter is not declared")
	}
	if env := s.Spec.Environment("disk"); env["BUILDER_FLAVOUR"] != "disk" || strings.Contains(strings.ToUpper(strings.Join(keys(env), " ")), "FORMATS") {
		t.Errorf("scripts are told %v", env)
	}
}

func keys(m map[string]string) (names []string) {
	for name := range m {
		names = append(names, name)
	}
	return names
}
