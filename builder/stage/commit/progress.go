package commit

import (
	"io/fs"
	"path/filepath"
	"time"

	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/task"
)

// counts is how often the objects of a repository are counted.
const counts = 500 * time.Millisecond

// counting describes how many objects a repository gets, of so many, until the function that
// it returns is called: ostree itself says nothing.
func counting(t *task.Task, repo ostree.Repository, total int, unit string) (stop func()) {
	if t.Counted == nil || total == 0 {
		return func() {}
	}
	before, quit, ended := repo.Stored(), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(counts)
		defer tick.Stop()
		for most := 0; ; {
			select {
			case <-quit:
				return
			case <-tick.C:
				// At the end of a transaction its objects move, and are seen
				// once, twice or not at all.
				most = min(max(most, repo.Stored()-before), total)
				t.Counted(int64(most), int64(total), unit)
			}
		}
	}()
	return func() {
		close(quit)
		<-ended
	}
}

// filesBelow counts what is in a tree, roughly as many as the objects that it is
// committed as: of files with the same content there is one.
func filesBelow(t *task.Task, tree string) (n int) {
	if t.Counted == nil {
		return 0
	}
	_ = filepath.WalkDir(tree, func(string, fs.DirEntry, error) error {
		n++
		return nil
	})
	return n
}
