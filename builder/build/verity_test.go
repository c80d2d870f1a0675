package build

import (
	"bytes"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/verity"
)

// TestVeritySigner: a good signature that is there stays, for its root hash and by a certificate
// of now; what a command writes is believed only if it is a signature.
func TestVeritySigner(t *testing.T) {
	hash := strings.Repeat("0a", 32)
	key, cert, err := verity.ThrowAway("x")
	if err != nil {
		t.Fatal(err)
	}
	s := &veritySigner{key: key, cert: cert, certs: []*x509.Certificate{cert}}
	signed, err := s.sign(t.Context(), hash, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, signature, _ := verity.ReadPartition(signed)
	if by, err := verity.Verify(hash, signature, s.certs); by != cert {
		t.Errorf("what was signed: %v", err)
	}

	// The command notes that it was asked.
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "signature"), signature, 0o600); err != nil {
		t.Fatal(err)
	}
	other := &veritySigner{certs: s.certs, dir: dir, command: []string{"sh", "-c", "cat > asked; cat signature"}}
	asked := func() bool {
		text, err := os.ReadFile(filepath.Join(dir, "asked"))
		if err == nil && string(text) != hash {
			t.Errorf("the command was asked to sign %q", text)
		}
		return err == nil
	}
	if again, err := other.sign(t.Context(), hash, signed); err != nil || !bytes.Equal(again, signed) || asked() {
		t.Errorf("a good signature does not stay: %v", err)
	}
	if again, err := other.sign(t.Context(), hash, make([]byte, verity.PartitionSize)); err != nil || !bytes.Equal(again, signed) || !asked() {
		t.Errorf("by a command: %v", err)
	}
	_, stranger, err := verity.ThrowAway("x")
	if err != nil {
		t.Fatal(err)
	}
	other.certs = []*x509.Certificate{stranger}
	if _, err := other.sign(t.Context(), hash, signed); err == nil || !strings.Contains(err.Error(), "verity_command made is refused: ") {
		t.Errorf("by a key of no certificate: %v", err)
	}
	other.command = []string{"sh", "-c", "echo no token >&2; exit 3"}
	if _, err := other.sign(t.Context(), hash, nil); err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "no token") {
		t.Errorf("a command that fails: %v", err)
	}
}

// TestVerityCommand: a program that does not exist is found before anything is built; one with
// a relative path is a file of the tree.
func TestVerityCommand(t *testing.T) {
	dir := t.TempDir()
	v := &config.Verity{Command: []string{"ci/sign", "x"}}
	if _, err := readVeritySigner(&config.Project{}, v, dir); err == nil || !strings.Contains(err.Error(), "ci/sign, which is to sign, does not exist") {
		t.Errorf("without the program: %v", err)
	}
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "ci"), 0o755), os.WriteFile(filepath.Join(dir, "ci/sign"), []byte("#!/bin/sh\necho $1; cat\n"), 0o755)); err != nil {
		t.Fatal(err)
	}
	s, err := readVeritySigner(&config.Project{}, v, dir)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := s.run(t.Context(), "hash"); err != nil || string(out) != "x\nhash" {
		t.Errorf("the program wrote %q, error %v", out, err)
	}
}
