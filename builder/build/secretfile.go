package build

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/secret"
)

// AuthSecret is the secret with names and passwords for servers. Its file has the
// form that the family's own programs read (apt_auth.conf(5)).
const AuthSecret = config.AuthSecret

// secretFile is the file of a secret.
type secretFile struct {
	path string
	// asked reports that it was given for this build, and not by the environment, which
	// may be meant for several projects.
	asked bool
	// content is nil until it has been read: a pipe can be read once only.
	content []byte
}

// look checks the file of the secret of that name, without reading it. It calls say
// with what a user should know.
func (f *secretFile) look(name string, say func(line string)) error {
	info, err := os.Stat(f.path)
	switch {
	case err != nil:
		return diag.Requestf("the secret %s: %v", name, err)
	case info.IsDir():
		return diag.Requestf("the secret %s: %s is a directory", name, f.path)
	case info.Mode().IsRegular() && info.Mode().Perm()&0o004 != 0:
		say(fmt.Sprintf("the secret %s: every user of this machine can read %s; chmod 600 keeps it to its owner", name, f.path))
	}
	return nil
}

// read reads the file of the secret of that name, unless that has been done. It waits
// for a pipe that nobody has written to yet, until ctx ends.
func (f *secretFile) read(ctx context.Context, name string) error {
	if f.content != nil {
		return nil
	}
	var content []byte
	var err error
	done := make(chan struct{})
	go func() { // nothing else ends a wait for a pipe
		defer close(done)
		content, err = readSecret(f.path)
	}()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-done:
	}
	if err != nil {
		return diag.Requestf("the secret %s: %v", name, err)
	}
	if problem := secret.Problem(content); problem != "" {
		return diag.Requestf("the secret %s: %s %s", name, f.path, strings.TrimSuffix(problem, "."))
	}
	f.content = content
	return nil
}

// readSecret reads no more than what is too long for a secret.
func readSecret(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, secret.Longest+1))
}
