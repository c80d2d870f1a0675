package debtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

// Mirror serves an archive by HTTP on this machine.
type Mirror struct {
	// URL is without a slash at its end.
	URL string
	// CA is the file with the certificate of the authority that has signed the
	// mirror's, if it serves by https.
	CA string
	// User and Password are asked for if they are set. NoListing answers 404 for
	// directories. They may be changed only while nothing is asked for.
	User, Password string
	NoListing      bool

	dir   string
	mu    sync.Mutex
	asked []string
	fault func(http.ResponseWriter, *http.Request) bool
}

// Serve serves the archive by http until the test ends.
func (r *Repo) Serve(t testing.TB) *Mirror {
	t.Helper()
	m := &Mirror{dir: r.Dir}
	s := httptest.NewServer(m)
	t.Cleanup(s.Close)
	m.URL = s.URL
	return m
}

// ServeTLS serves the archive by https until the test ends, with a certificate by
// an authority of its own.
func (r *Repo) ServeTLS(t testing.TB) *Mirror {
	t.Helper()
	m := &Mirror{dir: r.Dir, CA: filepath.Join(t.TempDir(), "ca.pem")}
	authority, authorityKey := certificate(t, &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, nil, nil)
	server, serverKey := certificate(t, &x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, authority, authorityKey)
	write(t, m.CA, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority.Raw})))
	s := httptest.NewUnstartedServer(m)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{server.Raw}, PrivateKey: serverKey}}}
	s.StartTLS()
	t.Cleanup(s.Close)
	m.URL = s.URL
	return m
}

// certificate makes a certificate and its key, signed by another or by itself.
func certificate(t testing.TB, c, by *x509.Certificate, byKey *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c.Subject = pkix.Name{CommonName: "debtest"}
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	if c.SerialNumber, err = rand.Int(rand.Reader, big.NewInt(1<<62)); err != nil {
		t.Fatal(err)
	}
	if by == nil {
		by, byKey = c, key
	} else {
		c.Subject.CommonName = "127.0.0.1"
	}
	raw, err := x509.CreateCertificate(rand.Reader, c, by, &key.PublicKey, byKey)
	if err != nil {
		t.Fatal(err)
	}
	made, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return made, key
}

// Is makes the mirror faulty: fault answers a request and returns true, or leaves
// it alone. Nil ends the fault.
func (m *Mirror) Is(fault func(http.ResponseWriter, *http.Request) bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fault = fault
}

// Asked are the paths that were asked for, in order, refused ones as well.
func (m *Mirror) Asked() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.asked)
}

// ServeHTTP answers without times: two versions of an archive may be of one second,
// and apt would take the second for the first.
func (m *Mirror) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	m.asked = append(m.asked, r.URL.Path)
	fault := m.fault
	m.mu.Unlock()
	if user, password, _ := r.BasicAuth(); m.User != "" && (user != m.User || password != m.Password) {
		w.Header().Set("WWW-Authenticate", `Basic realm="debtest"`)
		http.Error(w, "who are you?", http.StatusUnauthorized)
		return
	}
	if fault != nil && fault(w, r) {
		return
	}
	file := filepath.Join(m.dir, filepath.FromSlash(path.Clean("/"+r.URL.Path)))
	info, err := os.Stat(file)
	switch {
	case err != nil || info.IsDir() && m.NoListing:
		http.NotFound(w, r)
	case info.IsDir():
		list(w, file)
	default:
		content, err := os.ReadFile(file)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write(content)
	}
}

// list writes a directory as mirrors do, with links that the browser sorts by.
func list(w http.ResponseWriter, dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html;charset=UTF-8")
	fmt.Fprint(w, "<html><body><h1>Index</h1>\n<a href=\"?C=N;O=D\">Name</a> <a href=\"/\">Parent Directory</a>\n")
	for _, e := range entries {
		name := e.Name()
		if e.IsDir() {
			name += "/"
		}
		fmt.Fprintf(w, "<a href=\"%s\">%s</a>\n", name, name)
	}
	fmt.Fprint(w, "</body></html>\n")
}
