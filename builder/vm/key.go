package vm

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// KeyFor returns the key of the machine whose files are in the directory shared.
// One that has none yet gets a new one: a guest takes over the key of its first
// boot only (systemd-tmpfiles does it), so it belongs to the machine's disk.
func KeyFor(shared string) (authorized string, err error) {
	file := filepath.Join(shared, keyFile)
	private, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		if private, authorized, err = newKey(); err != nil {
			return "", err
		}
		return authorized, os.WriteFile(file, private, 0o600)
	}
	if err != nil {
		return "", err
	}
	block, _ := pem.Decode(private)
	if block == nil {
		return "", fmt.Errorf("%s is not a key", file)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	secret, ok := key.(ed25519.PrivateKey)
	if !ok {
		return "", fmt.Errorf("%s is not an ed25519 key", file)
	}
	return authorizedKey(secret.Public().(ed25519.PublicKey)), nil
}

// keyFile is the private key's name in a job's shared directory.
const keyFile = "key"

// newKey makes an ssh key pair: the private key as a PEM file that ssh reads
// (PKCS#8, since OpenSSH 9.6), and the public one as a line of authorized_keys.
func newKey() (private []byte, authorized string, err error) {
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
