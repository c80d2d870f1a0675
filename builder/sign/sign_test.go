package sign

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/treetest"
)

// generated is the file of a new private key, and its public half.
func generated(t *testing.T, name, expires string) (file string, public *Keyring) {
	t.Helper()
	if program, _ := Missing(); program != "" {
		treetest.Skip(t, "needs the program %s", program)
	}
	private, err := Generate(t.Context(), name, expires)
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "key")
	treetest.Write(t, file, string(private))
	armored, err := Public(t.Context(), private)
	if err != nil {
		t.Fatal(err)
	}
	if public, err = Read(t.Context(), armored); err != nil {
		t.Fatal(err)
	}
	return file, public
}

func signer(t *testing.T, o Options, keys *Keyring) *Signer {
	t.Helper()
	s, err := NewSigner(t.Context(), o, keys)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// TestSign: a key from a file, and a command, sign; what others signed, or what was
// changed, does not count.
func TestSign(t *testing.T) {
	file, public := generated(t, "Releases: a <r@example.org>", "never")
	other, foreign := generated(t, "Other", "never")
	if len(public.Keys) != 1 || len(public.Keys[0].Fingerprint) != 40 || public.Keys[0].UserID != "Releases: a <r@example.org>" {
		t.Fatalf("%+v", public.Keys)
	}
	s := signer(t, Options{Key: file}, nil)
	if s.Keys.Keys[0].Fingerprint != public.Keys[0].Fingerprint {
		t.Error("the public half of the file's key is another key")
	}
	data := []byte("a commit\x00")
	sig, err := s.Sign(t.Context(), "commit 1", data)
	if err != nil {
		t.Fatal(err)
	}
	if key, err := Join(foreign, public).Verify(t.Context(), data, sig); err != nil || key.Fingerprint != public.Keys[0].Fingerprint {
		t.Error(key, err)
	}
	for name, c := range map[string]struct {
		keys      *Keyring
		data, sig []byte
		want      string
	}{
		"other content": {public, []byte("another"), sig, "not a signature of this content"},
		"other key":     {foreign, data, sig, "not among the public keys"},
		"no signature":  {public, data, []byte("garbage"), "not an OpenPGP signature"},
		"empty":         {public, data, nil, "not an OpenPGP signature"},
	} {
		if _, err := c.keys.Verify(t.Context(), c.data, c.sig); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}

	if _, err := signer(t, Options{Key: other}, public).Sign(t.Context(), "commit 1", data); err == nil || !strings.Contains(err.Error(), "not among the public keys") {
		t.Errorf("a key that is not one of the public keys signs: %v", err)
	}
	dir := t.TempDir()
	home := filepath.Join(dir, "home")
	if err := os.Mkdir(home, 0o700); err != nil {
		t.Fatal(err)
	}
	treetest.Write(t, filepath.Join(dir, "sign"), "#!/bin/sh\necho \"$TREEWRIGHT_SIGN\" >>log\nexec gpg --homedir home --batch --quiet --armor --detach-sign\n")
	treetest.Write(t, filepath.Join(dir, "fail"), "#!/bin/sh\necho 'the card is gone' >&2\nexit 3\n")
	treetest.Write(t, filepath.Join(dir, "echo"), "#!/bin/sh\ncat\n")
	for _, name := range []string{"sign", "fail", "echo"} {
		if err := os.Chmod(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := gpg(home, nil, "--import", file).Output(t.Context()); err != nil {
		t.Fatal(err)
	}
	byCommand := func(name string) error {
		_, err := signer(t, Options{Command: []string{"./" + name}, Dir: dir}, public).Sign(t.Context(), "commit 1", data)
		return err
	}
	if err := byCommand("sign"); err != nil {
		t.Error(err)
	}
	if got := treetest.Content(t, filepath.Join(dir, "log")); got != "commit 1\n" {
		t.Errorf("the command was called for %q", got)
	}
	if err := byCommand("fail"); err == nil || !strings.Contains(err.Error(), "the card is gone") || !strings.Contains(err.Error(), "sign commit 1") {
		t.Error(err)
	}
	if err := byCommand("echo"); err == nil || !strings.Contains(err.Error(), "./echo made does not count") {
		t.Error(err)
	}
	if _, err := NewSigner(t.Context(), Options{Command: []string{"x"}}, nil); err == nil || !strings.Contains(err.Error(), "public_keys") {
		t.Error(err)
	}
	if _, err := NewSigner(t.Context(), Options{Key: "ABCD1234", Home: home}, nil); err == nil || !strings.Contains(err.Error(), `gpg has no key "ABCD1234" in `) {
		t.Error(err)
	}
	if _, err := NewSigner(t.Context(), Options{Key: filepath.Join(dir, "echo")}, nil); err == nil || !strings.Contains(err.Error(), "no OpenPGP key") {
		t.Error(err)
	}
}

// TestRead: what is not a public key is refused, in words.
func TestRead(t *testing.T) {
	file, public := generated(t, "Releases", "never")
	private := treetest.Content(t, file)
	for name, c := range map[string]struct{ content, want string }{
		"private":   {private, "it has a private key"},
		"nothing":   {"", "no valid OpenPGP data"},
		"garbage":   {"hello\n", "no valid OpenPGP data"},
		"truncated": {private[:200], "private key"},
	} {
		if _, err := Read(t.Context(), []byte(c.content)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	again, err := Read(t.Context(), public.Binary)
	if err != nil || string(again.Binary) != string(public.Binary) {
		t.Error("a binary key does not stay as it is", err)
	}
}

// TestExpired: signatures of a key that has expired do not count.
func TestExpired(t *testing.T) {
	t.Parallel()
	// As long as a busy machine needs for a signature.
	file, public := generated(t, "Short", "seconds=15")
	if public.Keys[0].Expires.IsZero() {
		t.Fatal("no time of expiry was read")
	}
	s := signer(t, Options{Key: file}, nil)
	sig, err := s.Sign(t.Context(), "summary", []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Until(public.Keys[0].Expires.Add(time.Second)))
	if public.Keys[0].Usable(time.Now()) {
		t.Error("the key counts as usable")
	}
	if _, err := public.Verify(context.Background(), []byte("x"), sig); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Error(err)
	}
	if _, err := s.Sign(t.Context(), "summary", []byte("x")); err == nil {
		t.Error("an expired key signs")
	} else {
		t.Log(err)
	}
}
