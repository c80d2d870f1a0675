package vm

import (
	"bytes"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestOpenSSHKey: the form is OpenSSH's own. Where there is an ssh-keygen, it finds the
// same public key in it.
func TestOpenSSHKey(t *testing.T) {
	private, authorized, err := newOpenSSHKey()
	if err != nil {
		t.Fatal(err)
	}
	block, rest := pem.Decode(private)
	if block == nil || len(rest) > 0 || block.Type != "OPENSSH PRIVATE KEY" || !bytes.HasPrefix(block.Bytes, []byte("openssh-key-v1\x00")) {
		t.Fatalf("it is not an OpenSSH key:\n%s", private)
	}
	program, err := exec.LookPath("ssh-keygen")
	if err != nil {
		return
	}
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, private, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(program, "-y", "-f", file).CombinedOutput()
	want := strings.Join(strings.Fields(authorized)[:2], " ")
	if err != nil || !strings.HasPrefix(string(out), want) {
		t.Errorf("ssh-keygen: %v, %s, want %s", err, out, want)
	}
}
