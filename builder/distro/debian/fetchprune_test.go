package debian

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFetchWhilePruned: a process that removes downloads without pause costs time, and
// no fetch fails or has less.
func TestFetchWhilePruned(t *testing.T) {
	m := newMirror(t)
	var index []string
	for i := range 40 {
		index = append(index, m.add(fmt.Sprint("p", i), "1", deb(1700000000+i, strings.Repeat("x", i))))
	}
	cache := t.TempDir()
	stop, pruned := make(chan struct{}), make(chan int)
	go func() {
		n := 0
		for {
			select {
			case <-stop:
				pruned <- n
				return
			default:
			}
			files, _ := filepath.Glob(filepath.Join(cache, "sha256/*/*"))
			for _, file := range files {
				if !strings.HasPrefix(filepath.Base(file), ".") && os.Remove(file) == nil {
					n++
				}
			}
		}
	}()
	for range 20 {
		f := m.fetch(t, context.Background(), cache, index...)
		if f.err != nil {
			t.Error(f.err)
			break
		}
		if files := filesBelow(t, f.out); len(files) != 41 {
			t.Errorf("%d files were fetched", len(files))
		}
	}
	close(stop)
	if <-pruned == 0 {
		t.Error("nothing was removed, so this shows nothing")
	}
}
