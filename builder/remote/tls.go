package remote

import (
	"crypto/tls"
	"crypto/x509"
	"os"

	"github.com/treewright/treewright/builder/diag"
)

// TLS returns the configuration of TLS for the server. If a.Authority is set, its authorities replace the authorities of this
// machine, as for package archives. If a client certificate is set, the configuration contains it.
func (a Access) TLS() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if a.Authority != "" {
		pem, err := os.ReadFile(a.Authority)
		if err != nil {
			return nil, diag.Requestf("the authority of the remote server: %v", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, diag.Requestf("the authority of the remote server: %s does not have a certificate in PEM", a.Authority)
		}
	}
	switch {
	case a.Certificate == "" && a.Key == "":
		return config, nil
	case a.Key == "":
		return nil, diag.Requestf("the client certificate %s for the remote server does not have a key", a.Certificate)
	case a.Certificate == "":
		return nil, diag.Requestf("the client key %s for the remote server does not have a certificate", a.Key)
	}
	pair, err := tls.LoadX509KeyPair(a.Certificate, a.Key)
	if err != nil {
		return nil, diag.Requestf("the client certificate of the remote server: %v", err)
	}
	config.Certificates = []tls.Certificate{pair}
	return config, nil
}
