package build

import (
	"context"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/treetest"
)

// TestRunNeedsChild: a program that forgets [Child] is told so, before it starts
// itself for a step.
func TestRunNeedsChild(t *testing.T) {
	b, err := Open(Options{Tree: treetest.Lay(t, t.TempDir(), "flavours/", "features/")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Run(context.Background(), &Prepared{}, nil, nil); err == nil || !strings.Contains(err.Error(), "build.Child") {
		t.Errorf("error %v", err)
	}
}
