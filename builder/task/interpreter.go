package task

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/shell"
)

// programDirs are where programs of packages are, and where env(1) looks for them.
var programDirs = []string{"/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin"}

// missingInterpreter is the error of a script whose interpreter is not in the tree: the
// system's own, "no such file or directory", seems to be about the script.
func (t *Task) missingInterpreter(script string) error {
	src, err := os.ReadFile(filepath.Join(t.Tree, script))
	if err != nil {
		return nil // running it says what is the matter
	}
	first := shell.ReadFirst(src)
	if first.Program == "" || first.Problem != "" {
		return nil
	}
	dirs := []string{path.Dir(first.Path)}
	if path.Base(first.Path) == "env" {
		dirs = programDirs
	}
	for _, dir := range dirs {
		// Links on the way elsewhere could lead out of the tree.
		if !slices.Contains(programDirs, dir) {
			return nil
		}
		if _, err := os.Lstat(t.Tree + dir + "/" + first.Program); !errors.Is(err, fs.ErrNotExist) {
			return nil
		}
	}
	text := fmt.Sprintf("%s: the tree has no %s, which the first line of the script names", strings.TrimPrefix(script, ToolSource+"/"), first.Program)
	if packages := t.Distro.Brings(first.Program); len(packages) > 0 {
		text += fmt.Sprintf("; the package %s brings it", packages[0])
	}
	return errors.New(text)
}
