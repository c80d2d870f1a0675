package sign

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/treewright/treewright/builder/sandbox"
)

// Options are who signs. One of Key and Command is set.
type Options struct {
	// Key is the fingerprint or user ID of a key that gpg has, or the path of a file with
	// a private key, for machines that keep none.
	Key string
	// Home is the directory with gpg's keys, absolute; "" is the user's own.
	Home string
	// Passphrase is the path of a file with the passphrase of the key; "" leaves that to
	// gpg's agent.
	Passphrase string
	// Command is a program with arguments that reads from standard input what is to be
	// signed, and writes a detached OpenPGP signature to standard output.
	Command []string
	// Dir is the directory that the command runs in, absolute.
	Dir string
}

// Signer signs. Close it after use.
type Signer struct {
	options Options
	// Keys are the public keys that signatures have to be of.
	Keys *Keyring
	// home is one that is used once, for a key from a file.
	home string
}

// NewSigner returns a signer whose signatures are to be of one of these keys; nil means
// the public half of [Options.Key].
func NewSigner(ctx context.Context, o Options, keys *Keyring) (*Signer, error) {
	s := &Signer{options: o, Keys: keys}
	if err := s.takeFile(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if s.Keys == nil {
		if len(o.Command) > 0 {
			return nil, errors.New("a command that signs needs public_keys, against which its signatures are checked")
		}
		public, err := s.gpg(nil, "--export", s.options.Key).Output(ctx)
		if err == nil && len(public) == 0 {
			err = fmt.Errorf("gpg has no key %q%s", o.Key, inHome(o.Home))
		}
		if err == nil {
			s.Keys, err = Read(ctx, public)
		}
		if err != nil {
			return nil, errors.Join(err, s.Close())
		}
		if len(s.Keys.Keys) > 1 {
			return nil, errors.Join(fmt.Errorf("gpg has %d keys for %q: give the fingerprint", len(s.Keys.Keys), o.Key), s.Close())
		}
	}
	return s, nil
}

func inHome(home string) string {
	if home == "" {
		return ""
	}
	return " in " + home
}

// takeFile imports a private key from a file into a home that is used once.
func (s *Signer) takeFile(ctx context.Context) error {
	if !strings.Contains(s.options.Key, "/") {
		return nil
	}
	content, err := os.ReadFile(s.options.Key)
	if err != nil {
		return fmt.Errorf("read the key that signs: %w", err)
	}
	if s.home, err = newHome(); err != nil {
		return err
	}
	listed, err := gpg(s.home, bytes.NewReader(content), "--with-colons", "--show-keys").Output(ctx)
	if err != nil && len(listed) == 0 {
		return fmt.Errorf("%s has no OpenPGP key: %w", s.options.Key, lastLine(err))
	}
	if !strings.HasPrefix(string(listed), "sec:") {
		return fmt.Errorf("%s has no private key to sign with", s.options.Key)
	}
	file := s.options.Key
	s.options.Key = firstFingerprint(string(listed))
	if _, err := s.gpg(bytes.NewReader(content), "--quiet", "--import").Output(ctx); err != nil {
		return fmt.Errorf("import %s: %w", file, lastLine(err))
	}
	return nil
}

func firstFingerprint(list string) string {
	for line := range strings.Lines(list) {
		if f := strings.Split(line, ":"); f[0] == "fpr" && len(f) > 9 {
			return f[9]
		}
	}
	return ""
}

// Close removes what was made for a key from a file.
func (s *Signer) Close() error {
	if s.home == "" {
		return nil
	}
	return os.RemoveAll(s.home)
}

// Sign returns a detached signature of data, in binary, that one of the keys has made.
// What is signed is named for the command, in the variable TREEWRIGHT_SIGN: "commit SUM".
func (s *Signer) Sign(ctx context.Context, what string, data []byte) ([]byte, error) {
	signature, err := s.make(ctx, what, data)
	if err != nil {
		return nil, fmt.Errorf("sign %s: %w", what, err)
	}
	if _, err := s.Keys.Verify(ctx, data, signature); err != nil {
		return nil, fmt.Errorf("sign %s: the signature that %s made does not count: %w", what, s.who(), err)
	}
	return signature, nil
}

func (s *Signer) make(ctx context.Context, what string, data []byte) ([]byte, error) {
	if len(s.options.Command) == 0 {
		return s.gpg(bytes.NewReader(data), "--local-user", s.options.Key, "--digest-algo", "SHA512", "--detach-sign").Output(ctx)
	}
	c := Command(s.options.Command, s.options.Dir)
	c.Stdin, c.Env["TREEWRIGHT_SIGN"] = bytes.NewReader(data), what
	signature, err := c.Output(ctx)
	if err != nil || !bytes.HasPrefix(bytes.TrimSpace(signature), []byte("-----BEGIN PGP")) {
		return signature, err
	}
	home, err := newHome()
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(home)
	return gpg(home, bytes.NewReader(signature), "--dearmor").Output(ctx)
}

// who is who signs, in words.
func (s *Signer) who() string {
	if len(s.options.Command) > 0 {
		return s.options.Command[0]
	}
	return "gpg"
}

// gpg is the command with the signer's keys.
func (s *Signer) gpg(in io.Reader, args ...string) sandbox.Command {
	if s.options.Passphrase != "" {
		args = append([]string{"--pinentry-mode", "loopback", "--passphrase-file", s.options.Passphrase}, args...)
	}
	home := s.options.Home
	if s.home != "" {
		home = s.home
	}
	c := gpg(home, in, args...)
	// The agent of the user's own home goes on; it may have the passphrase.
	c.Family = s.home != ""
	return c
}

// Ready returns why the signer cannot sign, as far as that shows without a signature: gpg
// has no private key, or the program does not exist.
func (s *Signer) Ready(ctx context.Context) error {
	if len(s.options.Command) > 0 {
		return Runnable(s.options.Command, s.options.Dir)
	}
	listed, err := s.gpg(nil, "--with-colons", "--list-secret-keys", s.options.Key).Output(ctx)
	if err != nil {
		return fmt.Errorf("gpg has no private key %q%s", s.options.Key, inHome(s.options.Home))
	}
	fingerprint := firstFingerprint(string(listed))
	if _, ok := s.Keys.Key(fingerprint); !ok {
		return fmt.Errorf("the key %s is not among the public keys, so that machines would refuse what it signs", fingerprint)
	}
	return nil
}
