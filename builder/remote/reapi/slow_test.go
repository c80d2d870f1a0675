package reapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/treewright/treewright/builder/remote"
)

// quick are limits that a test can wait for.
var quick = func() limits {
	l := patient
	l.call, l.stall, l.stallBytes = time.Second, 2*time.Second, 1000
	return l
}()

// TestHangs: if a server does not answer, a call ends at its limit, or when its context ends.
func TestHangs(t *testing.T) {
	calls := []string{"GetCapabilities", "GetActionResult", "FindMissingBlobs", "BatchUpdateBlobs", "UpdateActionResult", "Read", "Write"}
	for _, name := range calls {
		for _, cancelled := range []bool{false, true} {
			t.Run(fmt.Sprint(name, cancelled), func(t *testing.T) {
				t.Parallel()
				s := newServer()
				if name != "GetCapabilities" {
					put(t, connect(t, s), keyOf(1), content(200_000))
				}
				c := connectWithin(t, s, quick)
				s.mu.Lock()
				s.hang = map[string]bool{name: true}
				s.mu.Unlock()
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				stopped := errors.New("stopped")
				if cancelled {
					time.AfterFunc(30*time.Millisecond, func() { cancel(stopped) })
				}
				start := time.Now()
				_, hasErr := c.Has(ctx, []string{keyOf(1)})
				getErr := c.Get(ctx, keyOf(1), func(r io.Reader) error { _, err := io.Copy(io.Discard, r); return err })
				putErr := errors.Join(c.Put(ctx, keyOf(2), writing(content(10))), c.Put(ctx, keyOf(3), writing(content(300_000))))
				took := time.Since(start)
				err := errors.Join(hasErr, getErr, putErr)
				if cancelled {
					if !errors.Is(err, stopped) || took > 900*time.Millisecond {
						t.Errorf("after %s: %v", took, err)
					}
					return
				}
				var late *tooLate
				if !errors.As(err, &late) || took > 8*time.Second {
					t.Errorf("after %s: %v", took, err)
				}
			})
		}
	}
}

// TestStalls: a stream that stops, or trickles, is ended. A stream that moves can take any time, and so can its reader.
func TestStalls(t *testing.T) {
	for name, test := range map[string]struct {
		send  func([]byte) []byte
		pause time.Duration
		read  time.Duration
		late  bool
	}{
		"stops":       {pause: 10 * time.Second, late: true},
		"moves":       {pause: 400 * time.Millisecond},
		"slow reader": {read: 400 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer()
			s.can.SupportedCompressors = nil
			done := make(chan struct{})
			defer close(done)
			s.pause = func() {
				select {
				case <-time.After(test.pause):
				case <-done:
				}
			}
			put(t, connect(t, s), keyOf(1), content(400_000))
			c := connectWithin(t, s, quick)
			start := time.Now()
			err := c.Get(t.Context(), keyOf(1), func(r io.Reader) error {
				for {
					_, err := io.CopyN(io.Discard, r, 50_000)
					if err == io.EOF {
						return nil
					}
					if err != nil {
						return err
					}
					time.Sleep(test.read)
				}
			})
			var late *tooLate
			if errors.As(err, &late) != test.late || !test.late && err != nil {
				t.Errorf("after %s: %v", time.Since(start), err)
			}
		})
	}
}

// TestTrickle: some bytes now and then are not progress.
func TestTrickle(t *testing.T) {
	f := &flow{stall: 50 * time.Millisecond, left: 50 * time.Millisecond, enough: 1000, late: &tooLate{"late"}}
	f.ctx, f.cancel = context.WithCancelCause(t.Context())
	moves := 0
	for ; moves < 100; moves++ {
		err := f.move(func() (int, error) {
			time.Sleep(5 * time.Millisecond)
			return 1, f.ctx.Err()
		})
		if err != nil {
			break
		}
	}
	if moves > 20 || context.Cause(f.ctx) != error(f.late) {
		t.Errorf("%d moves, then %v", moves, context.Cause(f.ctx))
	}
}

// TestGone: a server that no longer listens, or never did, is an error at once.
func TestGone(t *testing.T) {
	c, err := open(remote.Access{URL: "grpc://127.0.0.1:1"}, usual)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	start := time.Now()
	if _, err := c.Has(t.Context(), []string{keyOf(1)}); !has(err, codes.Unavailable) || time.Since(start) > 3*time.Second {
		t.Errorf("after %s: %v", time.Since(start), err)
	}
}

// TestSilent: a server that accepts connections and does not answer is an error after the limit for connections.
func TestSilent(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	l := usual
	l.connect = 200 * time.Millisecond
	c, err := open(remote.Access{URL: "grpc://" + listener.Addr().String()}, l)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	start := time.Now()
	// The error comes after a second at the earliest, because gRPC's first try lasts at least as long as its first pause.
	if _, err := c.Has(t.Context(), []string{keyOf(1)}); !has(err, codes.Unavailable) || time.Since(start) > usual.call/2 {
		t.Errorf("after %s: %v", time.Since(start), err)
	}
}

// TestRestart: a server that was restarted is used as before.
func TestRestart(t *testing.T) {
	s := newServer()
	first := grpc.NewServer()
	at := s.serve(t, first, "127.0.0.1:0")
	c, err := open(remote.Access{URL: "grpc://" + at}, patient)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	put(t, c, keyOf(1), content(200_000))
	first.Stop()
	s.serve(t, grpc.NewServer(), at)
	if _, err := get(c, keyOf(1)); err != nil {
		t.Error(err)
	}
	put(t, c, keyOf(2), content(200_001))
}
