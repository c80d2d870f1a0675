package sign

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/treewright/treewright/builder/sandbox"
)

// Key is a public key.
type Key struct {
	// Fingerprint is that of the primary key, in upper-case hexadecimal.
	Fingerprint string
	// UserID is its first name, as in "Releases <releases@example.org>".
	UserID string
	// Expires is zero for a key that does not expire.
	Expires time.Time
	Revoked bool
}

// Usable reports whether signatures of the key count at a time.
func (k Key) Usable(at time.Time) bool {
	return !k.Revoked && (k.Expires.IsZero() || at.Before(k.Expires))
}

// String returns the fingerprint and the name.
func (k Key) String() string {
	if k.UserID == "" {
		return k.Fingerprint
	}
	return k.Fingerprint + " (" + k.UserID + ")"
}

// Keyring is a set of public keys.
type Keyring struct {
	// Binary are the keys as gpgv and libostree read them.
	Binary []byte
	Keys   []Key
}

// errPrivate is a file with a private key where a public one is expected.
var errPrivate = errors.New("it has a private key: keep that out of the tree, and export the public one: gpg --armor --export")

// Missing returns the first program that signing needs and that this machine lacks, and
// the package that has it; "" if there is all.
func Missing() (program, pkg string) {
	for _, p := range []struct{ program, pkg string }{{"gpg", "gpg"}, {"gpg-agent", "gpg-agent"}, {"gpgv", "gpgv"}} {
		if !sandbox.Installed(p.program) {
			return p.program, p.pkg
		}
	}
	return "", ""
}

// Read reads public keys as gpg --export writes them, with or without --armor. Each content
// must have at least one key, and none may be private.
func Read(ctx context.Context, content []byte) (*Keyring, error) {
	home, err := newHome()
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(home)
	run := func(args ...string) ([]byte, error) {
		return gpg(home, bytes.NewReader(content), args...).Output(ctx)
	}
	listed, err := run("--with-colons", "--show-keys")
	if err != nil && len(listed) == 0 {
		return nil, fmt.Errorf("gpg reads no key from it: %w", lastLine(err))
	}
	keys, private := parseKeys(string(listed))
	switch {
	case private:
		return nil, errPrivate
	case len(keys) == 0:
		return nil, errors.New("it has no OpenPGP key")
	}
	if _, err := run("--quiet", "--import"); err != nil {
		return nil, fmt.Errorf("gpg reads no key from it: %w", lastLine(err))
	}
	binary, err := gpg(home, nil, "--export").Output(ctx)
	if err != nil {
		return nil, fmt.Errorf("read public keys: %w", lastLine(err))
	}
	return &Keyring{binary, keys}, nil
}

// Join returns a keyring with the keys of several.
func Join(rings ...*Keyring) *Keyring {
	all := &Keyring{}
	seen := map[string]bool{}
	for _, r := range rings {
		all.Binary = append(all.Binary, r.Binary...)
		for _, k := range r.Keys {
			if !seen[k.Fingerprint] {
				seen[k.Fingerprint] = true
				all.Keys = append(all.Keys, k)
			}
		}
	}
	return all
}

// Key returns the key of a fingerprint, which is that of the primary key, as a whole.
func (r *Keyring) Key(fingerprint string) (Key, bool) {
	for _, k := range r.Keys {
		if k.Fingerprint == fingerprint {
			return k, true
		}
	}
	return Key{}, false
}

// parseKeys reads gpg's list of keys with colons (DETAILS of GnuPG, "Format of the colon
// listings").
func parseKeys(list string) (keys []Key, private bool) {
	var now *Key
	for line := range strings.Lines(list) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), ":")
		if len(f) < 10 {
			continue
		}
		switch f[0] {
		case "sec", "ssb":
			private = true
		case "pub":
			keys = append(keys, Key{Revoked: f[1] == "r"})
			now = &keys[len(keys)-1]
			if seconds, err := strconv.ParseInt(f[6], 10, 64); err == nil {
				now.Expires = time.Unix(seconds, 0)
			}
		case "fpr":
			if now != nil && now.Fingerprint == "" {
				now.Fingerprint = f[9]
			}
		case "uid":
			if now != nil && now.UserID == "" {
				now.UserID = strings.ReplaceAll(f[9], `\x3a`, ":")
			}
		}
	}
	return keys, private
}

// Verify checks a detached signature of data, and returns the key that made it. A
// signature of a key that is not in the ring, or that has expired or was revoked, is an error.
func (r *Keyring) Verify(ctx context.Context, data, signature []byte) (Key, error) {
	dir, names, err := filesFor([][]byte{r.Binary, signature, data})
	if err != nil {
		return Key{}, err
	}
	defer os.RemoveAll(dir)
	fingerprint, err := gpgv(ctx, "", dir, names[:1], names[1], names[2])
	if err != nil {
		return Key{}, err
	}
	key, ok := r.Key(fingerprint)
	if !ok {
		return Key{}, notAmong(fingerprint)
	}
	return key, nil
}
