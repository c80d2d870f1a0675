package sign

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/treewright/treewright/builder/sandbox"
)

// Check checks a detached signature of data, binary or armoured, by public keys, and returns the fingerprint of the key that made it. It is for machines
// that run a system: they have sqv, by which apt checks signatures, or gpgv, but not gpg's home of a user. Each of the keys is the content of
// a file as gpg --export writes it. path lists the directories of programs, as PATH does; "" for the usual directories.
func Check(ctx context.Context, path string, keys [][]byte, data, signature []byte) (fingerprint string, err error) {
	if len(keys) == 0 { // gpgv would take the keys of a home
		return "", errors.New("there are no public keys to check it by")
	}
	signature = Dearmoured(signature)
	dir, names, err := filesFor(append([][]byte{signature, data}, keys...))
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	fingerprint, err = sqv(ctx, path, names[2:], names[0], names[1], madeAt(signature))
	if errors.Is(err, sandbox.ErrNotFound) {
		fingerprint, err = gpgv(ctx, path, dir, names[2:], names[0], names[1])
	}
	return fingerprint, err
}

// filesFor writes contents to files of a new directory, which the caller removes.
func filesFor(contents [][]byte) (dir string, names []string, err error) {
	if dir, err = os.MkdirTemp("", "treewright-verify-"); err != nil {
		return "", nil, fmt.Errorf("check a signature: %w", err)
	}
	for i, content := range contents {
		names = append(names, filepath.Join(dir, strconv.Itoa(i)))
		if err := os.WriteFile(names[i], content, 0o600); err != nil {
			os.RemoveAll(dir)
			return "", nil, fmt.Errorf("check a signature: %w", err)
		}
	}
	return dir, names, nil
}

// sqv checks a signature by sqv(1). It prints fingerprints to standard output, and reasons to standard error. The
// arguments are in the older form, which the sqv of Debian 12 knows as well. A signature that was made in the future counts, as for
// libostree, if its key can be used at that time: the clock of a machine may be slower than the clock of the signer, by a second for a new image, or
// by years before the network is up.
func sqv(ctx context.Context, path string, keyrings []string, signature, data string, made time.Time) (fingerprint string, err error) {
	argv := []string{"sqv"}
	if made.After(time.Now()) {
		argv = append(argv, "--time", made.UTC().Format(time.RFC3339))
	}
	for _, k := range keyrings {
		argv = append(argv, "--keyring", k)
	}
	out, err := checker(append(argv, signature, data), path).Output(ctx)
	var failed *sandbox.ExitError
	if errors.As(err, &failed) {
		// Its backtraces are not useful.
		said, _, _ := strings.Cut(err.Error(), "\n\nStack backtrace:")
		_, said, _ = strings.Cut(said, "\n")
		return "", fmt.Errorf("sqv: %s", strings.Join(strings.Fields(said), " "))
	}
	if err != nil {
		return "", fmt.Errorf("check a signature: %w", err)
	}
	fingerprint, _, _ = strings.Cut(string(out), "\n")
	return fingerprint, nil
}

// gpgv checks a signature by gpgv(1), with dir as its home. The other arguments are the files of the signature and of the data.
func gpgv(ctx context.Context, path, dir string, keyrings []string, args ...string) (fingerprint string, err error) {
	argv := []string{"gpgv", "--homedir", dir, "--status-fd", "1"}
	for _, k := range keyrings {
		argv = append(argv, "--keyring", k)
	}
	out, err := checker(append(argv, args...), path).Output(ctx)
	fingerprint, problem := status(string(out))
	var failed *sandbox.ExitError
	if err != nil && !errors.As(err, &failed) {
		return "", fmt.Errorf("check a signature: %w", err)
	}
	if problem == "" && (err != nil || fingerprint == "") {
		problem = "it is not an OpenPGP signature"
	}
	if problem != "" {
		return "", errors.New(problem)
	}
	return fingerprint, nil
}

func checker(argv []string, path string) sandbox.Command {
	c := sandbox.Command{Argv: argv, Env: map[string]string{"LC_ALL": "C.UTF-8"}}
	if path != "" {
		c.Env["PATH"] = path
	}
	return c
}

// notAmong is the error of a signature by another key.
func notAmong(fingerprint string) error {
	return fmt.Errorf("it is of key %s, which is not among the public keys", fingerprint)
}

// status reads what gpgv reports to programs (DETAILS of GnuPG, "Format of the --status-fd
// output"): the fingerprint of the primary key of a valid signature, or the fault.
func status(out string) (fingerprint, problem string) {
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		if len(f) < 3 || f[0] != "[GNUPG:]" {
			continue
		}
		switch f[1] {
		case "VALIDSIG":
			fingerprint = f[len(f)-1]
		case "BADSIG":
			problem = "it is not a signature of this content, but claims to be of key " + f[2]
		case "ERRSIG":
			problem = notAmong(f[len(f)-1]).Error()
		case "EXPKEYSIG":
			problem = "it is of key " + f[2] + ", which has expired"
		case "REVKEYSIG":
			problem = "it is of key " + f[2] + ", which was revoked"
		case "EXPSIG":
			problem = "it has expired"
		}
		if problem != "" {
			return "", problem
		}
	}
	return fingerprint, ""
}
