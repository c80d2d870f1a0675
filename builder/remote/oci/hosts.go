package oci

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/download"
	"github.com/treewright/treewright/builder/remote"
)

// hosts sends requests to a registry, and to the servers that it names for tokens and blobs. Those servers often have other owners. So
// they may also have certificates of this machine's authorities, and they do not get the client certificate.
type hosts struct {
	host            string
	registry, other *http.Transport
}

func newHosts(host string, access remote.Access, l limits) (*hosts, error) {
	h := &hosts{host, download.Transport(l.answer, http.ProxyFromEnvironment), download.Transport(l.answer, http.ProxyFromEnvironment)}
	var err error
	if h.registry.TLSClientConfig, err = access.TLS(); err != nil {
		return nil, err
	}
	h.registry.MaxIdleConnsPerHost = mostAtOnce
	h.other.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if access.Authority == "" {
		return h, nil
	}
	pem, err := os.ReadFile(access.Authority)
	if err != nil {
		return nil, diag.Requestf("the authority of the remote cache: %v", err)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		return nil, diag.Hostf("this machine's certificates cannot be read: %v", err)
	}
	roots.AppendCertsFromPEM(pem)
	h.other.TLSClientConfig.RootCAs = roots
	return h, nil
}

// RoundTrip implements [http.RoundTripper].
func (h *hosts) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host == h.host {
		return h.registry.RoundTrip(req)
	}
	return h.other.RoundTrip(req)
}

func (h *hosts) close() {
	h.registry.CloseIdleConnections()
	h.other.CloseIdleConnections()
}
