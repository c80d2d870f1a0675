package cache

import (
	"errors"
	"fmt"
	"testing"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/layer"
)

// TestUnusable: a cache on an overlay is a fault of the machine.
func TestUnusable(t *testing.T) {
	var host *diag.Host
	if err := unusable("/x", fmt.Errorf("the cache /x is %w", layer.ErrOverlay)); !errors.As(err, &host) {
		t.Errorf("%v is not a fault of the machine", err)
	}
	other := errors.New("other")
	if err := unusable("/x", other); err != other {
		t.Errorf("another error becomes %v", err)
	}
}
