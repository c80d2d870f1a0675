package serve

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkServe measures a client that takes all it can get.
func BenchmarkServe(b *testing.B) {
	const size = 256 << 20
	root := b.TempDir()
	name := filepath.Join(root, "a/big.raw")
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(name, make([]byte, size), 0o644); err != nil {
		b.Fatal(err)
	}
	writeManifest(b, root, "a", artifact{Name: "big.raw", Kind: "file", Size: size})
	h, _ := newHandler(b, root, "a")
	addr, _ := start(b, h)
	b.SetBytes(size)
	for b.Loop() {
		response, err := http.Get("http://" + addr + "/big.raw")
		if err != nil {
			b.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, response.Body); n != size || err != nil {
			b.Fatal(n, err)
		}
		response.Body.Close()
	}
}
