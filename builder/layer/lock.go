package layer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Lock waits until no other process makes the result of key, and keeps others
// from doing so until unlock is called. When it has to wait, it calls waiting
// first; it gives up when ctx ends.
func (s *Store) Lock(ctx context.Context, key string, waiting func()) (unlock func(), err error) {
	path := filepath.Join(s.root, "locks", key)
	free, err := LockFile(ctx, path, waiting)
	if err != nil {
		return nil, err
	}
	return func() {
		// While it is held: who waits for it finds that the file is another one.
		_ = os.Remove(path)
		free()
	}, nil
}

// LockFile takes an exclusive lock on path, which it creates. The lock ends
// with the process. When it has to wait, it calls waiting first; it gives up
// when ctx ends.
func LockFile(ctx context.Context, path string, waiting func()) (unlock func(), err error) {
	return lockFile(ctx, path, unix.LOCK_EX, waiting)
}

// ShareFile is [LockFile] for a lock that any number of processes can hold
// together, while none holds the exclusive one.
func ShareFile(ctx context.Context, path string, waiting func()) (unlock func(), err error) {
	return lockFile(ctx, path, unix.LOCK_SH, waiting)
}

// TryLockFile is [LockFile] that does not wait; ok reports whether it has the lock.
func TryLockFile(path string) (unlock func(), ok bool, err error) {
	ctx, cancel := context.WithCancelCause(context.Background())
	unlock, err = LockFile(ctx, path, func() { cancel(errHeld) })
	if errors.Is(err, errHeld) {
		return nil, false, nil
	}
	return unlock, err == nil, err
}

var errHeld = errors.New("another process has the lock")

// lockPoll is how often a lock that another process holds is tried again:
// flock(2) that waits cannot be told to give up.
const lockPoll = 50 * time.Millisecond

func lockFile(ctx context.Context, path string, how int, waiting func()) (unlock func(), err error) {
	waits := false
	for {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|unix.O_CLOEXEC, 0o644)
		if err != nil {
			return nil, fmt.Errorf("lock: %w", err)
		}
		for {
			if err = flock(int(f.Fd()), how|unix.LOCK_NB); !errors.Is(err, unix.EWOULDBLOCK) {
				break
			}
			if !waits {
				waits = true
				waiting()
			}
			select {
			case <-ctx.Done():
				f.Close()
				return nil, context.Cause(ctx)
			case <-time.After(lockPoll):
			}
		}
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		// Its last holder may have removed the file: then this lock is on
		// nothing that another process could find.
		if sameFile(int(f.Fd()), path) {
			return func() { f.Close() }, nil
		}
		f.Close()
	}
}
