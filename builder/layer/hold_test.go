package layer

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// again opens a store once more, as another process does.
func again(t *testing.T, s *Store) *Store {
	t.Helper()
	other, err := Open(s.root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(other.Close)
	return other
}

func remove(t *testing.T, s *Store, key string, idle time.Time, want bool) {
	t.Helper()
	if gone, err := s.Remove(key, idle); gone != want || err != nil {
		t.Errorf("removed: %v, want %v, error %v", gone, want, err)
	}
}

// TestRemove: what somebody made, or found, and has not let go stays, whatever
// its age; so does what was used a moment ago.
func TestRemove(t *testing.T) {
	maker := openTest(t)
	d := begin(t, maker, testKey)
	put(t, filepath.Join(d.Data, "file"), "x")
	if err := d.Commit(Result{}); err != nil {
		t.Fatal(err)
	}
	user, pruner := again(t, maker), again(t, maker)
	remove(t, pruner, testKey, time.Now(), false)
	if _, ok, err := user.Get(testKey); !ok || err != nil {
		t.Fatal(ok, err)
	}
	maker.Close()
	remove(t, pruner, testKey, time.Now(), false)
	remove(t, user, testKey, time.Now(), false)
	user.LetGo(testKey)
	remove(t, pruner, testKey, time.Now().Add(-time.Hour), false)
	if _, err := os.Stat(filepath.Join(maker.Data(testKey), "file")); err != nil {
		t.Error(err)
	}
	remove(t, pruner, testKey, time.Now(), true)
	if _, ok, err := user.Get(testKey); ok || err != nil {
		t.Errorf("it is still there: %v, error %v", ok, err)
	}
	remove(t, pruner, testKey, time.Now(), false)
	for _, sub := range []string{"drafts", "results", "locks"} {
		if got := names(t, filepath.Join(maker.root, sub)); len(got) != 0 {
			t.Errorf("left in %s: %v", sub, got)
		}
	}
	if _, err := pruner.Remove("../../etc", time.Now()); err == nil {
		t.Error("what is not a key can be removed")
	}
}

// TestFoundIsKept: while others remove results without pause, what Get finds is
// whole, and stays so.
func TestFoundIsKept(t *testing.T) {
	s := openTest(t)
	const keys, files = 6, 30
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		pruner := again(t, s)
		wg.Add(1)
		go func() {
			defer wg.Done()
			for {
				select {
				case <-stop:
					return
				default:
				}
				for i := range keys {
					if _, err := pruner.Remove(fmt.Sprintf("%064d", i), time.Now()); err != nil {
						t.Errorf("remove: %v", err)
						return
					}
				}
				if _, err := pruner.Sweep(); err != nil {
					t.Errorf("sweep: %v", err)
					return
				}
			}
		}()
	}
	whole := func(user *Store, key string) error {
		for n := range files {
			if _, err := os.ReadFile(filepath.Join(user.Data(key), fmt.Sprint(n))); err != nil {
				return err
			}
		}
		return nil
	}
	for round := range 12 {
		user := again(t, s)
		var have []string
		for i := range keys {
			key := fmt.Sprintf("%064d", i)
			_, ok, err := user.Get(key)
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				d := begin(t, user, key)
				for n := range files {
					put(t, filepath.Join(d.Data, fmt.Sprint(n)), "content")
				}
				if err := d.Commit(Result{}); err != nil {
					t.Fatal(err)
				}
			}
			have = append(have, key)
		}
		for _, key := range have {
			if err := whole(user, key); err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
		}
		user.Close()
	}
	close(stop)
	wg.Wait()
}

// TestHoldOfAnotherDirectory: a directory that took the other's place is held
// again, and Discard asks before it removes.
func TestHoldOfAnotherDirectory(t *testing.T) {
	s := openTest(t)
	dir := filepath.Join(t.TempDir(), "dir")
	tombs := filepath.Dir(dir)
	if ok, err := s.Hold(dir); ok || err != nil {
		t.Errorf("held %v what is not there, error %v", ok, err)
	}
	for range 2 {
		put(t, filepath.Join(dir, "file"), "x")
		if ok, err := s.Hold(dir); !ok || err != nil {
			t.Fatalf("held %v, error %v", ok, err)
		}
		yes := func() bool { return true }
		if gone, err := Discard(dir, tombs, yes); gone || err != nil {
			t.Errorf("removed %v what is held, error %v", gone, err)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	put(t, filepath.Join(dir, "file"), "x")
	if gone, err := Discard(dir, tombs, func() bool { return false }); gone || err != nil {
		t.Errorf("removed %v what is still wanted, error %v", gone, err)
	}
	if got := names(t, tombs); fmt.Sprint(got) != "[dir]" {
		t.Errorf("left: %v", got)
	}
}

// TestShareFile: many can share a lock, and nobody has it alone meanwhile.
func TestShareFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	var unlocks []func()
	for range 2 {
		unlock, err := ShareFile(t.Context(), path, func() { t.Error("waited for nothing") })
		if err != nil {
			t.Fatal(err)
		}
		unlocks = append(unlocks, unlock)
	}
	alone := make(chan error)
	waits := make(chan struct{})
	go func() {
		unlock, err := LockFile(t.Context(), path, func() { close(waits) })
		if err == nil {
			unlock()
		}
		alone <- err
	}()
	<-waits
	unlocks[0]()
	select {
	case <-alone:
		t.Error("one has the lock alone that another shares")
	case <-time.After(4 * lockPoll):
	}
	unlocks[1]()
	if err := <-alone; err != nil {
		t.Error(err)
	}
}

// TestHoldDoesNotWait: that something was there a moment ago, and takes long to
// remove, keeps nobody waiting.
func TestHoldDoesNotWait(t *testing.T) {
	dir := t.TempDir()
	store, err := Open(filepath.Join(dir, "store"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	item := filepath.Join(dir, "item")
	if err := os.Mkdir(item, 0o755); err != nil {
		t.Fatal(err)
	}
	fd, free, err := seize(item)
	if err != nil || !free {
		t.Fatal(free, err)
	}
	defer unix.Close(fd) // when all of it is gone
	found := make(chan bool)
	go func() {
		there, err := store.Hold(item)
		if err != nil {
			t.Error(err)
		}
		found <- there
	}()
	time.Sleep(20 * time.Millisecond)
	if err := os.Rename(item, filepath.Join(dir, tombPrefix+"item")); err != nil {
		t.Fatal(err)
	}
	select {
	case there := <-found:
		if there {
			t.Error("what was removed is held")
		}
	case <-time.After(10 * time.Second):
		t.Error("waits until it is gone")
	}
}

// TestDamagedIsRemovedMeanwhile: a damaged result is made again while other programs remove it. The new result stays.
func TestDamagedIsRemovedMeanwhile(t *testing.T) {
	s := openTest(t)
	pruner := again(t, s)
	var wg sync.WaitGroup
	stop, removed := make(chan struct{}), 0
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			// A result without a record counts as damaged.
			_ = os.Mkdir(pruner.dir(testKey), 0o755)
			gone, err := pruner.Remove(testKey, time.Now())
			if err != nil {
				t.Errorf("remove: %v", err)
				return
			}
			if gone {
				removed++
			}
		}
	})
	for range 100 {
		d := begin(t, s, testKey)
		put(t, filepath.Join(d.Data, "file"), "x")
		if err := d.Commit(Result{}); err != nil {
			t.Errorf("made again: %v", err)
			break
		}
		if _, err := os.Stat(filepath.Join(s.Data(testKey), "file")); err != nil {
			t.Error(err)
		}
		s.Close()
	}
	close(stop)
	wg.Wait()
	if removed < 100 {
		t.Errorf("removed %d times: that shows nothing", removed)
	}
}
