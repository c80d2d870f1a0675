package serve

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"time"

	"github.com/treewright/treewright/builder/format"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/report"
	"github.com/treewright/treewright/builder/stage/commit"
)

// past is one commit of a flavour's history.
type past struct {
	Commit, Version string
	Time            time.Time
	// First reports that the commit has no parent.
	First bool
	// Changes are those of the packages since the parent; nil without a parent, if it is
	// not in the repository, or if the packages of one of both are not known.
	Changes *report.Changes
}

// longest is how many commits of a history are shown.
const longest = 20

var checksum = regexp.MustCompile(`^[0-9a-f]{64}$`)

// history returns the commits from head back, the newest first, and whether there
// are more than are shown. Where the history was cut off (ostree prune) it ends. With an
// error comes what could be read.
func history(dir, head string) (shown []past, more bool, err error) {
	if !checksum.MatchString(head) {
		return nil, false, fmt.Errorf("%q is not the checksum of a commit", head)
	}
	repo, err := ostree.Open(dir)
	if err != nil {
		return nil, false, err
	}
	var newer *format.OSTreeCommit
	for sum := head; sum != ""; {
		c, err := repo.Commit(sum)
		if errors.Is(err, fs.ErrNotExist) && newer != nil {
			return shown, false, nil
		}
		if err != nil {
			return shown, false, err
		}
		if newer != nil {
			shown[len(shown)-1].Changes = changes(c, newer)
		}
		if len(shown) == longest {
			return shown, true, nil
		}
		shown = append(shown, past{Commit: sum, Version: c.Metadata["version"], Time: time.Unix(c.Timestamp, 0).UTC(), First: c.Parent == ""})
		newer, sum = c, c.Parent
	}
	return shown, false, nil
}

// changes are those of the packages from one commit to the next.
func changes(before, after *format.OSTreeCommit) *report.Changes {
	old, knowOld := before.Metadata[commit.PackagesKey]
	now, knowNow := after.Metadata[commit.PackagesKey]
	if !knowOld || !knowNow {
		return nil
	}
	return report.Compare(report.ParsePackages(old), report.ParsePackages(now))
}
