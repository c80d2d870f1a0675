package debtest

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/treewright/treewright/builder/sandbox"
)

// Key signs archives.
type Key struct {
	// Keyring is the file with the public key, NAME.gpg, and Armoured the same as
	// text, NAME.asc.
	Keyring, Armoured string
	// Fingerprint is 40 hexadecimal digits.
	Fingerprint string

	home string
}

// NewKey makes a key of "NAME <NAME@example.org>" that is removed with the test.
func NewKey(t testing.TB, name string) *Key {
	t.Helper()
	return newKey(t, name, "never")
}

// Secret is the private key, armoured.
func (k *Key) Secret(t testing.TB) []byte {
	t.Helper()
	return k.gpg(t, nil, "--passphrase", "", "--armor", "--export-secret-keys")
}

// ShortKey makes a key that was good for one day of January 2020.
func ShortKey(t testing.TB, name string) *Key {
	t.Helper()
	return newKey(t, name, "1d", "--faked-system-time", "20200101T000000")
}

func newKey(t testing.TB, name, until string, more ...string) *Key {
	t.Helper()
	need(t, "gpg")
	// The path of the agent's socket may not be long.
	home, err := os.MkdirTemp("/tmp", "debtest-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = sandbox.Command{Argv: []string{"gpgconf", "--kill", "all"}, Env: gpgEnv(home)}.Run(context.Background())
		os.RemoveAll(home)
	})
	k := &Key{home: home, Keyring: filepath.Join(home, name+".gpg"), Armoured: filepath.Join(home, name+".asc")}
	k.gpg(t, nil, append(more, "--passphrase", "", "--quick-generate-key", name+" <"+name+"@example.org>", "ed25519", "sign", until)...)
	write(t, k.Keyring, string(k.gpg(t, nil, "--export")))
	write(t, k.Armoured, string(k.gpg(t, nil, "--armor", "--export")))
	for line := range strings.Lines(string(k.gpg(t, nil, "--with-colons", "--list-keys"))) {
		if rest, ok := strings.CutPrefix(line, "fpr:"); ok {
			k.Fingerprint = strings.Trim(rest, ":\n")
		}
	}
	return k
}

func gpgEnv(home string) map[string]string {
	env := sandbox.HostEnv()
	env["GNUPGHOME"] = home
	return env
}

func (k *Key) gpg(t testing.TB, input []byte, args ...string) []byte {
	t.Helper()
	argv := append([]string{"gpg", "--batch", "--quiet", "--no-tty", "--pinentry-mode", "loopback"}, args...)
	return run(t, sandbox.Command{Argv: argv, Env: gpgEnv(k.home), Stdin: bytes.NewReader(input)})
}

// sign returns the text with the signature in it, or, if it is detached, the
// signature alone.
func (k *Key) sign(t testing.TB, text string, detached bool) string {
	t.Helper()
	how := []string{"--clearsign"}
	if detached {
		how = []string{"--armor", "--detach-sign"}
	}
	// A key that has expired signs at the time when it was good.
	if strings.Contains(string(k.gpg(t, nil, "--with-colons", "--list-keys")), "pub:e:") {
		how = append([]string{"--faked-system-time", "20200101T100000"}, how...)
	}
	return string(k.gpg(t, []byte(text), how...))
}
