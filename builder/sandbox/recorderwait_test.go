package sandbox

import (
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestWaitThroughErrors: a listener that cannot be looked at for a moment has not ended. A pipe without a reader reports the same (POLLERR).
func TestWaitThroughErrors(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	r.Close()
	stop, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(stop)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if ready, err := wait(int(w.Fd()), stop); ready || err != nil {
			t.Errorf("ready %v, error %v", ready, err)
		}
	}()
	select {
	case <-ended:
		t.Error("it ended by itself")
	case <-time.After(50 * time.Millisecond):
	}
	if _, err := unix.Write(stop, []byte{1, 0, 0, 0, 0, 0, 0, 0}); err != nil {
		t.Fatal(err)
	}
	<-ended
}
