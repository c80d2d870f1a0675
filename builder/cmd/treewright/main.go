// Command treewright composes Debian OSTree systems from features. It is
// started by the script build at the top of the project.
package main

import (
	"os"
	"path/filepath"

	"github.com/treewright/treewright/builder/cli"
)

func main() {
	args := os.Args[1:]
	// Image scripts find this program under the names of others.
	if name := filepath.Base(os.Args[0]); cli.IsTool(name) {
		args = append([]string{name}, args...)
	}
	os.Exit(cli.Main(args, cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}
