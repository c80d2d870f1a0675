package sign

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/treetest"
)

// TestCheck: a machine checks signatures with sqv, else gpgv, and both refuse wrong ones.
func TestCheck(t *testing.T) {
	file, public := generated(t, "Releases", "never")
	_, foreign := generated(t, "Other", "never")
	data := []byte("a list")
	sig, err := signer(t, Options{Key: file}, nil).Sign(t.Context(), "list", data)
	if err != nil {
		t.Fatal(err)
	}
	both := [][]byte{foreign.Binary, public.Binary}
	if got, err := Check(t.Context(), "", both, data, sig); err != nil || got != public.Keys[0].Fingerprint {
		t.Error(got, err)
	}
	for name, c := range map[string]struct {
		keys      [][]byte
		data, sig []byte
		want      string
	}{
		"other content": {both, []byte("another"), sig, ""},
		"other key":     {both[:1], data, sig, ""},
		"no keys":       {nil, data, sig, "no public keys"},
		"no signature":  {both, data, nil, ""},
	} {
		if _, err := Check(t.Context(), "", c.keys, c.data, c.sig); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}

	dir := t.TempDir()
	for name, text := range map[string]string{
		"sqv": "#!/bin/sh\n" + `echo "$*" | sed "s,[^ ]*/,,g" >` + dir + "/called; test ! -e " + dir + `/no || { printf 'Malformed packet\n\nStack backtrace:\n  0: <unknown>\n' >&2; exit 1; }; echo ABCD` + "\n",
	} {
		treetest.Write(t, filepath.Join(dir, name), text)
		if err := os.Chmod(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	path := dir + ":" + os.Getenv("PATH")
	if got, err := Check(t.Context(), path, both, data, sig); err != nil || got != "ABCD" {
		t.Error(got, err)
	}
	if got := treetest.Content(t, filepath.Join(dir, "called")); got != "--keyring 2 --keyring 3 0 1\n" {
		t.Errorf("sqv was called with %q", got)
	}
	treetest.Write(t, filepath.Join(dir, "no"), "")
	if _, err := Check(t.Context(), path, both, data, sig); err == nil || err.Error() != "sqv: Malformed packet" {
		t.Error(err)
	}
}
