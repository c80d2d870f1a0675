package build

import (
	"strings"

	"github.com/treewright/treewright/builder/remote"
	"github.com/treewright/treewright/builder/remote/oci"
	"github.com/treewright/treewright/builder/remote/reapi"
)

// openRemote opens a remote cache by its URL's scheme. Large temporary files are made in the directory scratch.
func openRemote(access remote.Access, scratch string) (remote.Cache, error) {
	if strings.HasPrefix(access.URL, "oci://") {
		return oci.Open(access, scratch)
	}
	return reapi.Open(access)
}
