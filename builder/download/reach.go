package download

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/url"
	"sync"
)

// reach sends requests with what the servers of some hosts ask for.
type reach struct {
	transport *http.Transport

	mu          sync.Mutex
	credentials func(*url.URL) *url.Userinfo
	trusted     map[string]*http.Transport
}

func (r *reach) use(credentials func(*url.URL) *url.Userinfo) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.credentials = credentials
}

func (r *reach) trust(host string, pem []byte) bool {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.trusted == nil {
		r.trusted = map[string]*http.Transport{}
	}
	own := r.transport.Clone()
	own.TLSClientConfig = &tls.Config{RootCAs: roots}
	r.trusted[host] = own
	return true
}

// RoundTrip implements [http.RoundTripper].
func (r *reach) RoundTrip(req *http.Request) (*http.Response, error) {
	r.mu.Lock()
	credentials, transport := r.credentials, r.transport
	if own := r.trusted[req.URL.Hostname()]; own != nil {
		transport = own
	}
	r.mu.Unlock()
	if credentials != nil && req.URL.User == nil && req.Header.Get("Authorization") == "" {
		if user := credentials(req.URL); user != nil {
			password, _ := user.Password()
			req = req.Clone(req.Context())
			req.SetBasicAuth(user.Username(), password)
		}
	}
	return transport.RoundTrip(req)
}

// CloseIdleConnections lets [http.Client] close them.
func (r *reach) CloseIdleConnections() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.transport.CloseIdleConnections()
	for _, own := range r.trusted {
		own.CloseIdleConnections()
	}
}
