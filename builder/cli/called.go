package cli

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/sandbox"
)

// calledAs is the variable by which the script `build` says that it was called.
const calledAs = "TREEWRIGHT_CALLED_AS"

// told is a text for people, in which ./build means how this program is called.
func (c *command) told(text string) string {
	if os.Getenv(calledAs) != "" {
		return text
	}
	return strings.ReplaceAll(text, "./build", "treewright")
}

// elsewhere is the option, with a blank after it, that leads to this tree if it is
// not the one that is used without an option.
func (c *command) elsewhere() string {
	usual := treeAround(".")
	if program, err := os.Executable(); err == nil && os.Getenv(calledAs) != "" {
		usual = filepath.Join(filepath.Dir(program), "../..")
	}
	if usual == c.options.dir {
		return ""
	}
	return "-C " + sandbox.Quote(c.options.dir) + " "
}

// usualTree says, for help, which tree is used if none is named.
func usualTree() string {
	if os.Getenv(calledAs) != "" {
		return "that of ./build"
	}
	return "the tree around the current directory"
}

// treeAround returns the innermost configuration tree that a directory is in, and the
// directory itself if it is in none.
func treeAround(dir string) string {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return dir
	}
	for at := abs; ; at = filepath.Dir(at) {
		if build.IsTree(at) {
			return at
		}
		if at == filepath.Dir(at) {
			return abs
		}
	}
}
