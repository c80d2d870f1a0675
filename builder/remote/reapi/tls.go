package reapi

import (
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/remote"
)

// transport returns the protection of a connection. Protection that was asked for and is impossible is an error. A
// connection that is less protected than the user wants is never made.
func (a address) transport(access remote.Access) (credentials.TransportCredentials, error) {
	if !a.tls {
		if access.Authority != "" || access.Certificate != "" || access.Key != "" {
			return nil, diag.Requestf("the remote cache %s: certificates are for TLS, which this URL does not use; want grpcs://", a)
		}
		return insecure.NewCredentials(), nil
	}
	config, err := access.TLS()
	if err != nil {
		return nil, err
	}
	return credentials.NewTLS(config), nil
}
