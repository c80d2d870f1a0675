package shape

import (
	"github.com/treewright/treewright/builder/stage/origin"
	"github.com/treewright/treewright/builder/treefs"
)

// varRules turns what is in the factory's var into tmpfiles.d(5) rules.
//
// A machine's state belongs to its owner: a rule must not bring back what was
// deleted, nor a mode that was changed. For modes there is ":" (only for what
// the rule makes), and C leaves alone what is there. Deletions are not known
// to systemd-tmpfiles, so each path has a file of rules of its own, whose last
// rule hides that file by a link to /dev/null in a directory of higher
// priority, in /var.
type varRules struct {
	tree  string
	names treefs.Owners
	rules treeRules
	from  *origin.Origins
	warn  func(format string, args ...any)

	lasting []string          // lines for each boot
	once    map[string]string // text of the files for one boot, by path
	dirs    map[string]string // lines of directories that are not 0755 root root
	remove  []string          // what need not stay in the factory
	faults  []string
	owners  map[string]uint32   // of directories
	refused map[string]bool     // directories in which nothing can be made
	linked  map[uint64][]string // names of one file
	sparse  []string
}
