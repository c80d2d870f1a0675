package layer

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"
)

// TestHashFileWithHoles: holes are zeros, wherever they are.
func TestHashFileWithHoles(t *testing.T) {
	const size = 3<<20 + 5
	for name, at := range map[string][]int64{
		"empty": nil, "whole": {}, "at the beginning": {2 << 20}, "at the end": {0}, "in the middle": {0, size - 7}, "everywhere": {1 << 20, 2<<20 + 300},
	} {
		file := filepath.Join(t.TempDir(), "file")
		f, err := os.Create(file)
		if err != nil {
			t.Fatal(err)
		}
		if name != "empty" {
			must(t, f.Truncate(size))
		}
		for _, offset := range at {
			if _, err := f.WriteAt([]byte("data of"), offset); err != nil {
				t.Fatal(err)
			}
		}
		must(t, f.Close())
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want := sha256.Sum256(content)
		if got, err := HashFile(file); err != nil || got != hex.EncodeToString(want[:]) {
			t.Errorf("%s: the sum is %s, %v, not %x", name, got, err, want)
		}
	}
}
