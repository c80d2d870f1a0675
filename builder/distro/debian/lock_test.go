package debian

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/download"
	"github.com/treewright/treewright/builder/layer"
)

// TestIndicesAreWaitedFor: who waits for another build that reads the same indices
// can have enough of it.
func TestIndicesAreWaitedFor(t *testing.T) {
	dir := t.TempDir()
	unlock, err := layer.LockFile(t.Context(), filepath.Join(dir, "lock"), func() {})
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithCancel(t.Context())
	told := ""
	a := &Archive{root: dir, results: t.TempDir(), client: Policy{}.Client(download.Once, func(line string) {
		told = line
		cancel() // Ctrl-C
	})}
	if err := a.open(ctx, false); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if !strings.Contains(told, "waiting for another build") {
		t.Errorf("told %q", told)
	}
}
