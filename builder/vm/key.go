package vm

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"fmt"
)

// NewKey makes an ssh key pair: the private key as a PEM file that ssh reads
// (PKCS#8, since OpenSSH 9.6), and the public one as a line of authorized_keys.
func NewKey() (private []byte, authorized string, err error) {
	public, secret, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, "", fmt.Errorf("make ssh key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(secret)
	if err != nil {
		return nil, "", fmt.Errorf("make ssh key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), authorizedKey(public), nil
}

// authorizedKey writes a public key as RFC 8709 has it.
func authorizedKey(public ed25519.PublicKey) string {
	const kind = "ssh-ed25519"
	var blob []byte
	for _, field := range [][]byte{[]byte(kind), public} {
		blob = binary.BigEndian.AppendUint32(blob, uint32(len(field)))
		blob = append(blob, field...)
	}
	return kind + " " + base64.StdEncoding.EncodeToString(blob) + " treewright\n"
}
