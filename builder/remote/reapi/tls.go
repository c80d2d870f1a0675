package reapi

import (
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/remote"
)

// transport returns the protection of a connection to the server at a. It returns an error if the protection that the user wants
// is impossible. A connection is never less protected than the user wants.
func (p purpose) transport(a address, access remote.Access) (credentials.TransportCredentials, error) {
	if !a.tls {
		if access.Authority != "" || access.Certificate != "" || access.Key != "" {
			return nil, diag.Requestf("%s %s: certificates are for TLS, which this URL does not use; want grpcs://", p.server, a)
		}
		return insecure.NewCredentials(), nil
	}
	config, err := access.TLS()
	if err != nil {
		return nil, err
	}
	return credentials.NewTLS(config), nil
}
