package gardenlinux

import (
	"slices"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/gardenlinux/system"
	"github.com/treewright/treewright/builder/rules"
)

// TestImagesOf: a machine is started with the raw image, or with the only one that
// has a longer name.
func TestImagesOf(t *testing.T) {
	for made, want := range map[string]string{
		"tar raw ostree.raw": "raw", "tar ostree.raw": "ostree.raw", "tar a.raw b.raw": "", "tar qcow2": "", "": "",
	} {
		var artifacts []system.Artifact
		for _, extension := range strings.Fields(made) {
			artifacts = append(artifacts, system.Artifact{Extension: extension})
		}
		var images []rules.Image
		if want != "" {
			images = []rules.Image{{Name: want, Format: "raw"}}
		}
		if got := imagesOf(artifacts); !slices.Equal(got, images) {
			t.Errorf("of %q a machine can be started with %v, not %v", made, got, images)
		}
	}
}
