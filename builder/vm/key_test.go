package vm

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
)

// ssh-keygen -l reads this line as SHA256:ZkAslGjFiUHdGf/WUL8rQvkib4PTvQatUV0OUQSncCA.
func TestAuthorizedKey(t *testing.T) {
	public := make(ed25519.PublicKey, ed25519.PublicKeySize)
	for i := range public {
		public[i] = byte(i)
	}
	const want = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f treewright\n"
	if got := authorizedKey(public); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestNewKeyIsAPair(t *testing.T) {
	private, authorized, err := newKey()
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(private)
	if block == nil || block.Type != "PRIVATE KEY" {
		t.Fatalf("no PEM file:\n%s", private)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if got := authorizedKey(key.(ed25519.PrivateKey).Public().(ed25519.PublicKey)); got != authorized {
		t.Errorf("the private key is that of %s, not of %s", got, authorized)
	}
}

func TestKeyForKeepsTheKey(t *testing.T) {
	dir := t.TempDir()
	first, err := KeyFor(dir)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := KeyFor(dir); err != nil || again != first {
		t.Errorf("first %s, then %s, %v", first, again, err)
	}
	if info, err := os.Stat(filepath.Join(dir, keyFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's file is %v, %v", info, err)
	}
	if other, err := KeyFor(t.TempDir()); err != nil || other == first {
		t.Errorf("another machine has the same key, %v", err)
	}
	for _, content := range []string{"", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"} {
		if err := os.WriteFile(filepath.Join(dir, keyFile), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if key, err := KeyFor(dir); err == nil {
			t.Errorf("%q is taken for the key %s", content, key)
		}
	}
}
