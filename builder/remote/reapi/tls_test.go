package reapi

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"

	"github.com/treewright/treewright/builder/remote"
)

// authority makes certificates.
type authority struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{dir: t.TempDir()}
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	a.cert = &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	a.file = a.write(t, "authority.pem", "CERTIFICATE", a.sign(t, a.cert, a.key))
	return a
}

func (a *authority) sign(t *testing.T, cert *x509.Certificate, key *ecdsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, cert, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func (a *authority) write(t *testing.T, name, kind string, der []byte) string {
	t.Helper()
	path := filepath.Join(a.dir, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// issue returns the files of a certificate for 127.0.0.1 and its key.
func (a *authority) issue(t *testing.T, name string) (cert, key string) {
	t.Helper()
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(own)
	if err != nil {
		t.Fatal(err)
	}
	signed := a.sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, own)
	return a.write(t, name+".pem", "CERTIFICATE", signed), a.write(t, name+".key", "PRIVATE KEY", der)
}

// TestTLS: the authority has signed the certificates of the server and of the client. The credentials of a helper are sent over TLS.
func TestTLS(t *testing.T) {
	ours, theirs := newAuthority(t), newAuthority(t)
	cert, key := ours.issue(t, "server")
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(mustParse(t, ours.file))
	config, err := remote.Access{Authority: ours.file}.TLS()
	if err != nil || !config.RootCAs.Equal(pool) {
		t.Errorf("with an authority others are trusted as well; error %v", err)
	}
	s := newServer()
	s.header, s.value = "authorization", "Bearer "+token
	at := s.start(t, grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool})))
	client, clientKey := ours.issue(t, "client")
	stranger, strangerKey := theirs.issue(t, "client")
	helper := program(t, `echo '{"headers": {"Authorization": ["Bearer `+token+`"]}}'`)
	for name, test := range map[string]struct {
		access remote.Access
		want   string
	}{
		"all":                   {remote.Access{Authority: ours.file, Certificate: client, Key: clientKey}, ""},
		"no client certificate": {remote.Access{Authority: ours.file}, "Unavailable"},
		"a stranger's":          {remote.Access{Authority: ours.file, Certificate: stranger, Key: strangerKey}, "Unavailable"},
		"another authority":     {remote.Access{Authority: theirs.file, Certificate: client, Key: clientKey}, "unknown authority"},
		"the machine's":         {remote.Access{Certificate: client, Key: clientKey}, "unknown authority"},
	} {
		test.access.URL, test.access.Helper = "grpcs://"+at+"/main", helper
		c, err := open(test.access, patient)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		err = c.Put(t.Context(), keyOf(1), writing(content(200_000)))
		if test.want == "" {
			if err == nil {
				_, err = get(c, keyOf(1))
			}
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if !has(err, codes.Unavailable) || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
	// A server that does not use TLS does not get a call.
	plain := newServer()
	c, err := open(remote.Access{URL: "grpcs://" + plain.start(t), Authority: ours.file, Helper: helper}, patient)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := get(c, keyOf(1)); !has(err, codes.Unavailable) || len(plain.calls) > 0 {
		t.Errorf("a server without TLS: %v, calls %v", err, plain.calls)
	}
}

func mustParse(t *testing.T, file string) *x509.Certificate {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}
