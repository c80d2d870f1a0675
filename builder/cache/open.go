package cache

import (
	"errors"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/layer"
)

// unusable explains in words of the command line why the cache in the directory root cannot be
// opened.
func unusable(root string, err error) error {
	if errors.Is(err, layer.ErrOverlay) {
		return diag.Hostf("%v", err)
	}
	return diag.Directory("the cache", root, "--cache or TREEWRIGHT_CACHE", err)
}
