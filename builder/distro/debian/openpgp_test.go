package debian

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/distro/debian/debtest"
)

func TestReadKeyring(t *testing.T) {
	good, old := debtest.NewKey(t, "good"), debtest.ShortKey(t, "old")
	read := func(file string) []byte {
		t.Helper()
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	for name, data := range map[string][]byte{
		"binary": slices.Concat(read(good.Keyring), read(old.Keyring)), "armoured": slices.Concat(read(good.Armoured), read(old.Armoured)),
	} {
		keys, err := readKeyring(data)
		if err != nil || len(keys) != 2 {
			t.Fatalf("%s: %d keys, error %v", name, len(keys), err)
		}
		if keys[0].IDs[0] != good.Fingerprint || !keys[0].Expires.IsZero() || !slices.Equal(keys[0].Users, []string{"good <good@example.org>"}) {
			t.Errorf("%s: %+v, want %s", name, keys[0], good.Fingerprint)
		}
		if keys[1].IDs[0] != old.Fingerprint || !keys[1].Expires.Equal(time.Date(2020, 1, 2, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("%s: %+v, want %s, good until 2 January 2020", name, keys[1], old.Fingerprint)
		}
		if !keys[0].has(good.Fingerprint[24:]) || keys[0].has(old.Fingerprint[24:]) {
			t.Errorf("%s: a key is known by its short name only", name)
		}
	}
	if _, err := readKeyring([]byte("\x00\x00\x00\x20\x01\x01\x00\x02KBXf and more")); err == nil || !strings.Contains(err.Error(), "gpg --export") {
		t.Errorf("a keybox: %v", err)
	}
	if keys, err := readKeyring([]byte("<html>404</html>")); err == nil {
		t.Errorf("a page: %v", keys)
	}
}

// FuzzOpenPGP: what somebody else wrote is read to its end, whatever it is.
func FuzzOpenPGP(f *testing.F) {
	if data, err := os.ReadFile("testdata/archive/keyring.gpg"); err == nil {
		f.Add(data)
	}
	f.Add([]byte("-----BEGIN PGP SIGNATURE-----\n\niHUEABYK\n=abcd\n-----END PGP SIGNATURE-----\n"))
	f.Add([]byte{0xc2, 0x0c, 4, 0x13, 1, 2, 0, 2, 1, 2, 0, 1, 255, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		keys, err := readKeyring(data)
		if err == nil && len(data) > 0 && len(keys) > len(data) {
			t.Error("more keys than bytes")
		}
		_, _ = readSignatures(data)
	})
}
