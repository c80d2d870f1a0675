// Command treewright composes Debian OSTree systems from features. It is
// started by the script build at the top of the project.
package main

import (
	"os"

	"github.com/treewright/treewright/builder/cli"
)

func main() {
	os.Exit(cli.Main(os.Args, cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}
