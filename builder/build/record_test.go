package build

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/treewright/treewright/builder/treetest"
)

// TestRecall: a record that a power cut or the disk has damaged is not read.
func TestRecall(t *testing.T) {
	b := &Builder{options: Options{Cache: t.TempDir()}}
	if record, err := b.recall("x"); record != nil || err != nil {
		t.Errorf("without a record: %v, error %v", record, err)
	}
	if err := os.MkdirAll(filepath.Dir(b.recordPath("x")), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, damaged := range []string{"", "{\"a\": {", "\x00\x00"} {
		if err := os.WriteFile(b.recordPath("x"), []byte(damaged), 0o644); err != nil {
			t.Fatal(err)
		}
		if record, err := b.recall("x"); record != nil || err != nil {
			t.Errorf("%q: %v, error %v", damaged, record, err)
		}
	}
}

// TestRecordOfATree: trees that share a cache may have flavours of the same name, and each
// finds its own plans.
func TestRecordOfATree(t *testing.T) {
	cache := t.TempDir()
	one, two := &Builder{options: Options{Cache: cache, Tree: "/one"}}, &Builder{options: Options{Cache: cache, Tree: "/two"}}
	treetest.Write(t, one.recordPath("x"), `{"a": {}}`)
	treetest.Write(t, one.knownPath("x"), `[{"id": "a"}]`)
	if record, err := two.recall("x"); record != nil || err != nil || two.StepNames("x") != nil {
		t.Errorf("another tree has the plan %v, error %v, with the steps %q", record, err, two.StepNames("x"))
	}
	if record, err := one.recall("x"); record == nil || err != nil || len(one.StepNames("x")) != 1 {
		t.Errorf("its own tree has the plan %v, error %v, with the steps %q", record, err, one.StepNames("x"))
	}
}
