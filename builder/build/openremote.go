package build

import (
	"fmt"
	"strings"

	"github.com/treewright/treewright/builder/remote"
	"github.com/treewright/treewright/builder/remote/reapi"
)

// openRemote opens a remote cache by its URL's scheme.
func openRemote(access remote.Access) (remote.Cache, error) {
	scheme, _, _ := strings.Cut(access.URL, "://")
	switch scheme {
	case "grpc", "grpcs":
		return reapi.Open(access)
	}
	return nil, fmt.Errorf("the scheme %s is not known", scheme)
}
