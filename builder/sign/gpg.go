package sign

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/treewright/treewright/builder/sandbox"
)

// gpg is a command of gpg that asks nobody. What it starts ends with it.
func gpg(home string, in io.Reader, args ...string) sandbox.Command {
	argv := []string{"gpg", "--batch", "--no-tty"}
	if home != "" {
		argv = append(argv, "--homedir", home)
	}
	return sandbox.Command{Argv: append(argv, args...), Env: sandbox.HostEnv(), Stdin: in, Family: true}
}

// newHome makes a home for gpg that is used once.
func newHome() (string, error) {
	// The path of an agent's socket may have 107 bytes.
	dir, err := os.MkdirTemp("/tmp", "tw-gpg-")
	if err != nil {
		return "", fmt.Errorf("make a home for gpg: %w", err)
	}
	return dir, nil
}

// lastLine is the last line that a failed program wrote, as the error.
func lastLine(err error) error {
	lines := strings.Split(strings.TrimSpace(err.Error()), "\n")
	return errors.New(strings.TrimPrefix(lines[len(lines)-1], "gpg: "))
}
