package vm

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
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
	private, authorized, err := NewKey()
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
