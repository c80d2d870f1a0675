package debian

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/treewright/treewright/builder/sandbox"
)

// declared is the line by which the Perl program mmdebstrap declares its version.
var declared = regexp.MustCompile(`(?m)^our \$VERSION = '([0-9.~a-z-]+)';$`)

// Bootstrapper returns the version of this machine's mmdebstrap. It is read from the program,
// because starting Perl takes as long as all else of an unchanged build.
func (Family) Bootstrapper(ctx context.Context) (string, error) {
	if text, err := os.ReadFile(sandbox.Find("mmdebstrap")); err == nil {
		if m := declared.FindAllSubmatch(text, -1); len(m) == 1 {
			return "mmdebstrap " + string(m[0][1]), nil
		}
	}
	return askBootstrapper(ctx)
}

// askBootstrapper runs mmdebstrap for its version.
func askBootstrapper(ctx context.Context) (string, error) {
	out, err := sandbox.Command{Argv: []string{"mmdebstrap", "--version"}, Env: sandbox.HostEnv()}.Output(ctx)
	if err != nil {
		return "", fmt.Errorf("mmdebstrap does not run: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}
