package verity

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"time"
)

// ThrowAway makes a key whose certificate no machine has, and that certificate, for tests of
// what machines refuse. Name is the name in the certificate; it can be that of another one.
func ThrowAway(name string) (crypto.Signer, *x509.Certificate, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, nil, fmt.Errorf("make a key: %w", err)
	}
	subject := pkix.Name{CommonName: name}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: subject, Issuer: subject, NotBefore: time.Unix(0, 0), NotAfter: time.Now().AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, nil, fmt.Errorf("make a certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	return key, cert, err
}
