package vm

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/sandbox"
)

// TestRefusals: each one changes the image, and what it is to change only.
func TestRefusals(t *testing.T) {
	const dataAt, signatureAt = 4096, 3 * 4096
	partition := append(bytes.Repeat([]byte("s"), 1000), make([]byte, 4*4096-1000)...)
	image := append(append(bytes.Repeat([]byte("t"), dataAt), bytes.Repeat([]byte("d"), signatureAt-dataAt)...), partition...)
	strange := append(bytes.Repeat([]byte("f"), 900), make([]byte, 4*4096-900)...)
	s := &Signed{DataAt: dataAt, SignatureAt: signatureAt, Strange: strange}
	for _, r := range s.refusals() {
		if r.name == "directory" {
			continue // it is made where machines have extensions
		}
		dir := t.TempDir()
		file, good := filepath.Join(dir, "x.raw"), filepath.Join(dir, "x.good")
		for _, f := range []string{file, good} {
			if err := os.WriteFile(f, image, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		script := fmt.Sprintf("set -euo pipefail\nfile=%s good=%s\n%s", sandbox.Quote(file), sandbox.Quote(good), r.change)
		if out, err := (sandbox.Command{Argv: []string{"bash", "-c", script}, Env: sandbox.HostEnv()}).Output(t.Context()); err != nil {
			t.Fatalf("%s: %v\n%s", r.name, err, out)
		}
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var changed []string
		for i := range min(len(got), len(image)) {
			if got[i] != image[i] {
				changed = append(changed, fmt.Sprint(i))
			}
		}
		want := map[string]string{"flipped-byte": "4296 4297", "flipped-signature": fmt.Sprint(signatureAt + 1000 - 30)}
		switch r.name {
		case "strange-signature":
			if !bytes.Equal(got, append(bytes.Clone(image[:signatureAt]), strange...)) {
				t.Errorf("%s: %d bytes, changed %d", r.name, len(got), len(changed))
			}
		case "unsigned":
			if !bytes.Equal(got, image[dataAt:]) {
				t.Errorf("%s: %d bytes", r.name, len(got))
			}
		default:
			if strings.Join(changed, " ") != want[r.name] || len(got) != len(image) {
				t.Errorf("%s changed %v, not %s", r.name, changed, want[r.name])
			}
		}
	}
}
