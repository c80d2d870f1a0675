// Command bench is a helper of the shell script test/bench. It writes large trees, and draws charts
// of the results of Go's benchmarks.
//
// The one idea: charts show the figures that the benchmarks printed, and no others.
package main

import (
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/treewright/treewright/builder/treetest"
)

const usage = `usage:
  bench tree DIRECTORY N       writes a tree of N features and N flavours
  bench plot DIRECTORY NOTE    reads the output of Go's benchmarks, and draws charts
`

func main() {
	if err := run(os.Args[1:], os.Stdin); err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader) error {
	switch {
	case len(args) == 3 && args[0] == "tree":
		return tree(args[1], args[2])
	case len(args) == 3 && args[0] == "plot":
		return plot(args[1], args[2], in)
	}
	return fmt.Errorf("wrong arguments\n%s", usage)
}

// mostFeatures is how many the names of features and flavours have digits for.
const mostFeatures = 10_000

// tree writes a tree of so many features and flavours to a directory, which must be empty or missing.
func tree(dir, number string) error {
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > mostFeatures {
		return fmt.Errorf("%q is not a number of features from 1 to %d", number, mostFeatures)
	}
	entries, err := os.ReadDir(dir)
	switch {
	case err != nil && !os.IsNotExist(err):
		return err
	case len(entries) > 0:
		return fmt.Errorf("%s is not empty", dir)
	}
	return treetest.WriteLarge(dir, n, n)
}
