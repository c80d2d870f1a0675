package sign

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/treewright/treewright/builder/sandbox"
)

// Command is a user's command that signs, as a program of this machine that runs in a
// directory (absolute). A program with a relative path is a file below that directory.
func Command(argv []string, dir string) sandbox.Command {
	if strings.Contains(argv[0], "/") && !filepath.IsAbs(argv[0]) {
		argv = append([]string{filepath.Join(dir, argv[0])}, argv[1:]...)
	}
	return sandbox.Command{Argv: argv, Env: sandbox.HostEnv(), Dir: dir}
}

// Runnable returns why the program of a [Command] cannot be started, nil if it can.
func Runnable(argv []string, dir string) error {
	program := Command(argv, dir).Argv[0]
	if !strings.Contains(program, "/") {
		if sandbox.Installed(program) {
			return nil
		}
		return fmt.Errorf("the program %s, which is to sign, does not exist", program)
	}
	info, err := os.Stat(program)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("the program %s, which is to sign, does not exist", program)
	case err != nil:
		return err
	case !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0:
		return fmt.Errorf("%s, which is to sign, is not an executable file", program)
	}
	return nil
}
