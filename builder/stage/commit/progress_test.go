package commit

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/task"
)

// TestCounting: what is in a transaction counts, the number does not go back when its
// objects move, and nothing is told after the end.
func TestCounting(t *testing.T) {
	repo := t.TempDir()
	put := func(name string) {
		t.Helper()
		path := filepath.Join(repo, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("objects/00/old.filez")
	synctest.Test(t, func(t *testing.T) {
		type told struct {
			done, total int64
			unit        string
		}
		var all []told
		job := &task.Task{Counted: func(done, total int64, unit string) { all = append(all, told{done, total, unit}) }}
		stop := counting(job, ostree.At(repo), 3, "files")
		put("tmp/staging-x/aa/1.filez")
		put("tmp/staging-x/aa/2.filez")
		put("tmp/other/aa/3.filez")
		time.Sleep(counts + 1)
		if err := os.RemoveAll(filepath.Join(repo, "tmp")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(counts)
		for _, name := range []string{"1", "2", "3", "4", "5"} {
			put("objects/aa/" + name + ".filez")
		}
		time.Sleep(counts)
		stop()
		time.Sleep(time.Minute)
		if want := []told{{2, 3, "files"}, {2, 3, "files"}, {3, 3, "files"}}; !slices.Equal(all, want) {
			t.Errorf("told were %v, want %v", all, want)
		}
	})
	counting(&task.Task{}, ostree.At(repo), 3, "files")() // nobody wants to know
}
