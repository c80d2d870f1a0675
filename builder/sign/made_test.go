package sign

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/treetest"
)

// TestMadeAt: the time of a signature is read from it, whatever else it has. Bytes that are not a signature do not have a time.
func TestMadeAt(t *testing.T) {
	file, _ := generated(t, "Releases", "never")
	sig, err := signer(t, Options{Key: file}, nil).Sign(t.Context(), "list", []byte("a list"))
	if err != nil {
		t.Fatal(err)
	}
	if age := time.Since(madeAt(sig)); age < 0 || age > time.Hour {
		t.Errorf("the signature is %s old", age)
	}
	const body = "\x04\x00\x16\x0a\x00\x0a" + "\x03\x21\x01\x02" + "\x05\x82\x00\x00\x00\x11"
	for name, c := range map[string]struct {
		sig  string
		want int64
	}{
		"old form, one byte of length": {"\x88\x10" + body, 17},
		"old form, two bytes":          {"\x89\x00\x10" + body, 17},
		"new form":                     {"\xc2\x10" + body, 17},
		"new form, five bytes":         {"\xc2\xff\x00\x00\x00\x10" + body, 17},
		"cut off":                      {"\x88\x10" + body[:14], -1},
		"another packet":               {"\x98\x10" + body, -1},
		"another version":              {"\x88\x10\x03" + body[1:], -1},
		"without a time":               {"\x88\x0a\x04\x00\x16\x0a\x00\x04\x03\x21\x01\x02", -1},
		"a subpacket without an end":   {"\x88\x0a\x04\x00\x16\x0a\x00\x04\xff\xff\xff\xff", -1},
		"nothing":                      {"", -1},
		"text":                         {"-----BEGIN PGP SIGNATURE-----", -1},
	} {
		if got := madeAt([]byte(c.sig)); c.want < 0 && !got.IsZero() || c.want >= 0 && got.Unix() != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func FuzzMadeAt(f *testing.F) {
	f.Add([]byte("\x88\x10\x04\x00\x16\x0a\x00\x0a\x03\x21\x01\x02\x05\x82\x00\x00\x00\x11"))
	f.Fuzz(func(_ *testing.T, sig []byte) { madeAt(sig) })
}

// TestCheckClock: a signature that is newer than the clock of the machine counts.
func TestCheckClock(t *testing.T) {
	dir := t.TempDir()
	treetest.Write(t, filepath.Join(dir, "sqv"), "#!/bin/sh\necho \"$1 $2\" >"+dir+"/called\necho ABCD\n")
	if err := os.Chmod(filepath.Join(dir, "sqv"), 0o755); err != nil {
		t.Fatal(err)
	}
	for sig, want := range map[string]string{
		"\x88\x0c\x04\x00\x16\x0a\x00\x06\x05\x02\x00\x00\x00\x11": "--keyring ",
		"\x88\x0c\x04\x00\x16\x0a\x00\x06\x05\x02\xff\xff\xff\xff": "--time 2106-02-07T06:28:15Z\n",
	} {
		if _, err := Check(t.Context(), dir+":"+os.Getenv("PATH"), [][]byte{{1}}, []byte("data"), []byte(sig)); err != nil {
			t.Fatal(err)
		}
		if got := treetest.Content(t, filepath.Join(dir, "called")); !strings.HasPrefix(got, want) {
			t.Errorf("sqv was called with %q, not %q", got, want)
		}
	}
}
