package layer

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSealed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if _, _, err := ReadSealed(path); !os.IsNotExist(err) {
		t.Errorf("a missing file: error %v", err)
	}
	for _, content := range []string{"", "content\nof lines\n"} {
		if err := WriteSealed(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, ok, err := ReadSealed(path); string(got) != content || !ok || err != nil {
			t.Errorf("got %q, %v, error %v; want %q", got, ok, err, content)
		}
	}
	text := get(t, path)
	for _, damaged := range []string{"", text[:20], strings.Replace(text, "lines", "mines", 1), text + "x", strings.Repeat("\x00", len(text))} {
		put(t, path, damaged)
		if _, ok, err := ReadSealed(path); ok || err != nil {
			t.Errorf("%q is taken for whole, error %v", damaged, err)
		}
	}
}
