package verity

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"
)

const rootHash = "a983b95c067ef3b0ff658ac972df40826a8c07b005c20aed3c6ca8409fa4135f"

// certificate makes a certificate of a key, and both as PEM.
func certificate(t *testing.T, key crypto.Signer, until time.Time) (cert, private []byte) {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "x"}, NotBefore: time.Unix(1700000000, 0), NotAfter: until,
	}, &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "x"}}, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})
}

func rsaKey(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func ecKey(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// TestSign: a signature is accepted by its certificate only, and for its root hash alone.
func TestSign(t *testing.T) {
	for name, key := range map[string]crypto.Signer{"rsa": rsaKey(t), "ecdsa": ecKey(t)} {
		certText, keyText := certificate(t, key, time.Now().Add(time.Hour))
		cert, err := ReadCertificate(certText)
		if err != nil {
			t.Fatal(err)
		}
		read, err := ReadKey(keyText)
		if err != nil || Fits(read, []*x509.Certificate{cert}) != cert {
			t.Fatalf("%s: the key does not fit its certificate: %v", name, err)
		}
		signature, err := Sign(rootHash, read, cert)
		if err != nil {
			t.Fatal(err)
		}
		otherText, _ := certificate(t, rsaKey(t), time.Now().Add(time.Hour))
		other, err := ReadCertificate(otherText)
		if err != nil || Fits(read, []*x509.Certificate{other}) != nil {
			t.Fatalf("%s: the key fits another's certificate: %v", name, err)
		}
		if found, err := Verify(rootHash, signature, []*x509.Certificate{other, cert}); found != cert {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := Verify(rootHash, signature, []*x509.Certificate{other}); err == nil {
			t.Errorf("%s: another's certificate, of the same name and number, is accepted", name)
		}
		if _, err := Verify(strings.Replace(rootHash, "a", "b", 1), signature, []*x509.Certificate{cert}); err == nil {
			t.Errorf("%s: the signature is good for another root hash", name)
		}
		again, err := Sign(rootHash, read, cert)
		if err != nil || name == "rsa" && !bytes.Equal(signature, again) {
			t.Errorf("%s: signed twice, two signatures: %v", name, err)
		}
	}
}

// TestOpenSSL: signatures that openssl(1) makes are taken, as verity_command may use it.
func TestOpenSSL(t *testing.T) {
	for _, name := range []string{"rsa", "ec"} {
		text, err := os.ReadFile("testdata/" + name + ".crt")
		if err != nil {
			t.Fatal(err)
		}
		cert, err := ReadCertificate(text)
		if err != nil {
			t.Fatal(err)
		}
		signature, err := os.ReadFile("testdata/" + name + ".p7s")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Verify(rootHash, signature, []*x509.Certificate{cert}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPartition(t *testing.T) {
	text, _ := certificate(t, ecKey(t), time.Now())
	cert, err := ReadCertificate(text)
	if err != nil {
		t.Fatal(err)
	}
	content, err := Partition(rootHash, cert, []byte("signature"))
	if err != nil || len(content) != PartitionSize {
		t.Fatalf("%d bytes, %v", len(content), err)
	}
	want := `{"rootHash":"` + rootHash + `","certificateFingerprint":"` + Fingerprint(cert) + `","signature":"c2lnbmF0dXJl"}`
	if got := string(bytes.TrimRight(content, "\x00")); got != want {
		t.Errorf("the partition has %s, not %s", got, want)
	}
	hash, signature, ok := ReadPartition(content)
	if !ok || hash != rootHash || string(signature) != "signature" {
		t.Errorf("read back: %q, %q, %v", hash, signature, ok)
	}
	if _, _, ok := ReadPartition(make([]byte, PartitionSize)); ok {
		t.Error("an empty partition has a signature")
	}
	if _, err := Partition(rootHash, cert, make([]byte, PartitionSize)); err == nil {
		t.Error("a signature that is larger than the partition is taken")
	}
}

// TestFaults: faults of a file are found, and the message has no part of a key.
func TestFaults(t *testing.T) {
	good, key := certificate(t, rsaKey(t), time.Unix(1700000001, 0))
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	edCert, edKey := certificate(t, ed, time.Now())
	block, _ := pem.Decode(good)
	for _, c := range []struct {
		what, want string
		text       []byte
	}{
		{"text", "is not a certificate in PEM", []byte("hello")},
		{"DER", "is a certificate in DER", block.Bytes},
		{"a key", "has a private key in it", key},
		{"a certificate with its key", "has a private key in it", append(bytes.Clone(good), key...)},
		{"a request", "is a certificate request", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST"})},
		{"garbage", "cannot be read", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")})},
		{"two", "has several certificates", append(bytes.Clone(good), good...)},
		{"Ed25519", "has an Ed25519 key", edCert},
	} {
		if _, err := ReadCertificate(c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("certificate, %s: %v", c.what, err)
		}
	}
	for _, c := range []struct {
		what, want string
		text       []byte
	}{
		{"text", "is not a private key in PEM", []byte("hello")},
		{"a certificate", "is a certificate, not a private key", good},
		{"encrypted", "is encrypted", pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY"})},
		{"garbage", "cannot be read", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("xyz")})},
		{"Ed25519", "is neither an RSA nor an ECDSA key", edKey},
	} {
		if _, err := ReadKey(c.text); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "xyz") || strings.Contains(err.Error(), "eHl6") {
			t.Errorf("key, %s: %v", c.what, err)
		}
	}
	cert, err := ReadCertificate(good)
	if err != nil {
		t.Fatal(err)
	}
	for when, want := range map[int64]string{1699999999: "is valid from 2023-11-14 only", 1700000000: "", 1700000002: "expired on 2023-11-14"} {
		if got := Expired(cert, time.Unix(when, 0)); got != want {
			t.Errorf("at %d: %q", when, got)
		}
	}
}
