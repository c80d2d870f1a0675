package build

import (
	"os"
	"path/filepath"
	"testing"
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
