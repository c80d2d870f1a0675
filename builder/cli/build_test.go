package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/treewright/treewright/builder/engine"
)

func TestTheLastScreenListsWarnings(t *testing.T) {
	m := &engine.Manifest{Steps: []engine.ManifestStep{{ID: "a"}, {ID: "b", Cached: true, Warnings: []string{"one"}}}}
	if got, want := warnedOf(m), "\n1 warning:\n  b: one\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	m.Steps = append(m.Steps, engine.ManifestStep{ID: "c", Warnings: []string{"two", "th\x1b[2Jree"}})
	if got, want := warnedOf(m), "\n3 warnings:\n  b: one\n  c: two\n  c: three\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := warnedOf(&engine.Manifest{}); got != "" {
		t.Errorf("a build without warnings says %q", got)
	}
}

// TestRecall: a record that a power cut or the disk has damaged is none.
func TestRecall(t *testing.T) {
	c := &command{options: options{cache: t.TempDir()}}
	if record, err := c.recall("x"); record != nil || err != nil {
		t.Errorf("without a record: %v, error %v", record, err)
	}
	if err := os.MkdirAll(filepath.Dir(c.recordPath("x")), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, damaged := range []string{"", "{\"a\": {", "\x00\x00"} {
		if err := os.WriteFile(c.recordPath("x"), []byte(damaged), 0o644); err != nil {
			t.Fatal(err)
		}
		if record, err := c.recall("x"); record != nil || err != nil {
			t.Errorf("%q: %v, error %v", damaged, record, err)
		}
	}
}
