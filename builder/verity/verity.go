package verity

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/smallstep/pkcs7"
)

// ReadCertificate reads a file with one certificate (PEM). Errors describe the fault of the
// file, as the end of a sentence about it.
func ReadCertificate(text []byte) (*x509.Certificate, error) {
	block, rest := pem.Decode(text)
	switch {
	case block == nil && isCertificate(text):
		return nil, errors.New("is a certificate in DER, not in PEM: openssl x509 -inform der -in FILE converts it")
	case block == nil:
		return nil, errors.New("is not a certificate in PEM, which begins with -----BEGIN CERTIFICATE-----")
	case strings.Contains(string(text), "PRIVATE KEY-----"):
		return nil, errors.New("has a private key in it, which everyone who gets the system could read. The file must have the certificate only")
	case block.Type != "CERTIFICATE":
		return nil, fmt.Errorf("is a %s, not a certificate", strings.ToLower(block.Type))
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("has a certificate that cannot be read: %w", err)
	}
	if next, _ := pem.Decode(rest); next != nil {
		return nil, errors.New("has several certificates. systemd reads the first one only: write each to a file of its own")
	}
	switch key := cert.PublicKey.(type) {
	case *rsa.PublicKey, *ecdsa.PublicKey:
		return cert, nil
	case ed25519.PublicKey:
		return nil, errors.New("has an Ed25519 key, which cannot make the PKCS#7 signatures that systemd checks: use RSA")
	default:
		return nil, fmt.Errorf("has a key of the kind %T, where RSA or ECDSA is needed", key)
	}
}

func isCertificate(der []byte) bool {
	_, err := x509.ParseCertificate(der)
	return err == nil
}

// Expired returns why a certificate cannot be used at a time, as the end of a sentence about
// it; "" if it can. systemd does not check these times, so this is only for people.
func Expired(cert *x509.Certificate, now time.Time) string {
	switch {
	case now.After(cert.NotAfter):
		return "expired on " + cert.NotAfter.UTC().Format(time.DateOnly)
	case now.Before(cert.NotBefore):
		return "is valid from " + cert.NotBefore.UTC().Format(time.DateOnly) + " only"
	}
	return ""
}

// ReadKey reads a file with a private key (PEM, not encrypted). Errors describe the fault of the
// file, as the end of a sentence about it; they contain no part of the key.
func ReadKey(text []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("is not a private key in PEM, which begins with -----BEGIN PRIVATE KEY-----")
	}
	if strings.Contains(block.Type, "ENCRYPTED") || block.Headers["DEK-Info"] != "" {
		return nil, errors.New("is encrypted. Use a command that asks for the password: verity_command")
	}
	var key any
	var err error
	switch block.Type {
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	default:
		return nil, fmt.Errorf("is a %s, not a private key", strings.ToLower(block.Type))
	}
	if err != nil {
		return nil, errors.New("is a private key that cannot be read")
	}
	switch key := key.(type) {
	case *rsa.PrivateKey:
		return key, nil
	case *ecdsa.PrivateKey:
		return key, nil
	}
	return nil, errors.New("is neither an RSA nor an ECDSA key")
}

// Fits returns the one of the certificates that is of a key, nil if none is.
func Fits(key crypto.Signer, certs []*x509.Certificate) *x509.Certificate {
	public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	for _, c := range certs {
		if ok && public.Equal(c.PublicKey) {
			return c
		}
	}
	return nil
}

// Sign returns the detached PKCS#7 signature (DER) of a root hash's digits, without signed
// attributes, so that the time is not in it. With an RSA key it is always the same.
func Sign(rootHash string, key crypto.Signer, cert *x509.Certificate) ([]byte, error) {
	sd, err := pkcs7.NewSignedData([]byte(rootHash))
	if err != nil {
		return nil, fmt.Errorf("sign the root hash: %w", err)
	}
	sd.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256)
	if err := sd.SignWithoutAttr(cert, key, pkcs7.SignerInfoConfig{}); err != nil {
		return nil, fmt.Errorf("sign the root hash: %w", err)
	}
	sd.Detach()
	return sd.Finish()
}

// Verify returns the certificate whose key made a signature of a root hash. Certificates in
// the signature itself are not used.
func Verify(rootHash string, signature []byte, certs []*x509.Certificate) (*x509.Certificate, error) {
	p7, err := pkcs7.Parse(signature)
	if err != nil {
		return nil, fmt.Errorf("it is not a PKCS#7 signature in DER: %w", err)
	}
	err = errors.New("it is a signature by none of the certificates")
	for _, c := range certs {
		p7.Content, p7.Certificates = []byte(rootHash), []*x509.Certificate{c}
		if cause := p7.Verify(); cause == nil {
			return c, nil
		} else if len(certs) == 1 {
			err = fmt.Errorf("it is not a signature by the certificate: %w", cause)
		}
	}
	return nil, err
}

// Fingerprint returns the SHA-256 of a certificate, in hexadecimal digits.
func Fingerprint(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	return hex.EncodeToString(sum[:])
}
