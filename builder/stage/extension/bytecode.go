package extension

import (
	"path"
	"path/filepath"
	"regexp"

	"github.com/treewright/treewright/builder/treefs"
)

// bytecode matches what Python keeps of a module; the groups are the directory and the name of its source.
var bytecode = regexp.MustCompile(`^(.*/)__pycache__/([^/]+)\.cpython-[0-9]+(?:\.opt-[12])?\.pyc$`)

// generated reports whether a changed file of the system is bytecode that Python wrote when a program of the
// packages used a module of the system. The module has not changed, so the system's bytecode stays.
func (c *comparison) generated(rel string) bool {
	m := bytecode.FindStringSubmatch(rel)
	if m == nil {
		return false
	}
	source := path.Join(m[1], m[2]+".py")
	same, err := treefs.SameContent(filepath.Join(c.trees.committed, source), filepath.Join(c.trees.extended, source))
	return err == nil && same
}
