package cli

import (
	"testing"

	"github.com/treewright/treewright/builder/publish"
)

func TestTheLastScreenListsWarnings(t *testing.T) {
	m := &publish.Manifest{Steps: []publish.ManifestStep{{ID: "a"}, {ID: "b", Cached: true, Warnings: []string{"one"}}}}
	if got, want := warnedOf(m), "\n1 warning:\n  b: one\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	m.Steps = append(m.Steps, publish.ManifestStep{ID: "c", Warnings: []string{"two", "th\x1b[2Jree"}})
	if got, want := warnedOf(m), "\n3 warnings:\n  b: one\n  c: two\n  c: three\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := warnedOf(&publish.Manifest{}); got != "" {
		t.Errorf("a build without warnings says %q", got)
	}
}
