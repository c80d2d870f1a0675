package vm

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/binary"
	"encoding/pem"
	"fmt"
)

// newOpenSSHKey is newKey for any ssh client: those before OpenSSH 9.6 read keys in
// OpenSSH's own form only (PROTOCOL.key of its sources).
func newOpenSSHKey() (private []byte, authorized string, err error) {
	public, secret, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, "", fmt.Errorf("make ssh key: %w", err)
	}
	text := func(to []byte, fields ...string) []byte {
		for _, field := range fields {
			to = append(binary.BigEndian.AppendUint32(to, uint32(len(field))), field...)
		}
		return to
	}
	const kind = "ssh-ed25519"
	// Two equal numbers show that it was decrypted, which it is from the beginning.
	inner := text(make([]byte, 8), kind, string(public), string(secret), "treewright")
	for i := byte(1); len(inner)%8 != 0; i++ {
		inner = append(inner, i)
	}
	key := text([]byte("openssh-key-v1\x00"), "none", "none", "")
	key = text(binary.BigEndian.AppendUint32(key, 1), string(text(nil, kind, string(public))), string(inner))
	return pem.EncodeToMemory(&pem.Block{Type: "OPENSSH PRIVATE KEY", Bytes: key}), authorizedKey(public), nil
}
