package cli

import (
	"os"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/sandbox"
)

// calledAs is the variable by which the script `build` reports that it was called.
const calledAs = "TREEWRIGHT_CALLED_AS"

// told returns a text for users. It replaces ./build by the name with which this program was called. It does not change paths that only
// contain ./build, such as ./builder and ../build.
func (c *command) told(text string) string {
	if os.Getenv(calledAs) != "" {
		return text
	}
	parts := strings.Split(text, "./build")
	for i := range parts[1:] {
		before, _ := utf8.DecodeLastRuneInString(parts[i])
		after, _ := utf8.DecodeRuneInString(strings.TrimPrefix(parts[i+1], ".")) // a full stop can end a sentence
		as := "treewright"
		if ofPath(before) || ofPath(after) {
			as = "./build"
		}
		parts[i+1] = as + parts[i+1]
	}
	return strings.Join(parts, "")
}

// ofPath reports whether a character is common in paths.
func ofPath(r rune) bool {
	return strings.ContainsRune("/._-", r) || unicode.IsLetter(r) || unicode.IsDigit(r)
}

// elsewhere returns the option, with a blank after it, that selects this tree if it is
// not the default tree.
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

// usualTree describes, for help, the default tree.
func usualTree() string {
	if os.Getenv(calledAs) != "" {
		return "that of ./build"
	}
	return "the tree around the current directory"
}

// treeAround returns the innermost configuration tree that a directory is in, and the
// directory itself if it is not in one.
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
