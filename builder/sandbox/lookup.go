package sandbox

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// defaultPath is where programs are looked for when Env names no PATH.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// lookIn finds a program on a path.
func lookIn(name, path string) (string, error) {
	for _, dir := range strings.Split(path, ":") {
		full := dir + "/" + name
		if info, err := os.Stat(full); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return full, nil
		}
	}
	return "", fmt.Errorf("%s: %w (looked in %s)", name, ErrNotFound, path)
}

// ErrNotFound means that a program is not installed where it was looked for.
var ErrNotFound = errors.New("no such program")
