package reapi

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/treewright/treewright/builder/remote"
)

// breaks sends a state and breaks the stream.
func breaks(code codes.Code) turn {
	return func(x *execution) error {
		if err := x.state(&repb.ExecuteOperationMetadata{Stage: repb.ExecutionStage_EXECUTING}); err != nil {
			return err
		}
		return status.Error(code, "broken by the test")
	}
}

// refuses breaks the stream before the first state.
func refuses(code codes.Code) turn {
	return func(*execution) error { return status.Error(code, "refused by the test") }
}

// fails ends the operation with a code, after a worker has begun with it.
func fails(code codes.Code) turn {
	return func(x *execution) error {
		return errors.Join(x.state(&repb.ExecuteOperationMetadata{Stage: repb.ExecutionStage_EXECUTING}), x.failed(code))
	}
}

func repeat(n int, one turn) (all []turn) {
	for range n {
		all = append(all, one)
	}
	return all
}

// TestBroken: if the stream breaks, the client waits for the operation. If the server has forgotten the operation, or the worker was
// lost, the client executes the Action again, a limited number of times.
func TestBroken(t *testing.T) {
	for name, test := range map[string]struct {
		turns           []turn
		executed, waits int
		want            string // "" for a result
	}{
		"broken":                      {[]turn{breaks(codes.Unavailable)}, 1, 1, ""},
		"broken, by a proxy":          {[]turn{breaks(codes.DeadlineExceeded), breaks(codes.Internal), breaks(codes.Canceled)}, 1, 3, ""},
		"ended":                       {[]turn{breaks(codes.OK)}, 1, 1, ""},
		"ended, always":               {repeat(9, breaks(codes.OK)), 1, 3, "the server ended the stream before the Action was done (4 tries)"},
		"no name":                     {[]turn{refuses(codes.Unavailable)}, 2, 0, ""},
		"away":                        {repeat(9, refuses(codes.Unavailable)), 4, 0, "Unavailable: refused by the test (4 tries)"},
		"forgotten":                   {[]turn{breaks(codes.Unavailable), refuses(codes.NotFound)}, 2, 1, ""},
		"waiting is not possible":     {[]turn{breaks(codes.Unavailable), refuses(codes.Unimplemented)}, 2, 1, ""},
		"denied":                      {[]turn{refuses(codes.PermissionDenied)}, 1, 0, "PermissionDenied: refused by the test"},
		"lost worker":                 {[]turn{fails(codes.Unavailable), fails(codes.Aborted)}, 3, 0, ""},
		"lost worker, always":         {repeat(9, fails(codes.Unavailable)), 3, 0, "Unavailable: failed by the test (3 tries)"},
		"fault of the server":         {[]turn{func(x *execution) error { return x.failed(codes.Internal) }}, 2, 0, ""},
		"fault of the server, always": {repeat(9, func(x *execution) error { return x.failed(codes.Internal) }), 3, 0, "Internal: failed by the test (3 tries)"},
		"no worker is free":           {repeat(3, func(x *execution) error { return x.failed(codes.Unavailable) }), 4, 0, ""},
		"cancelled by others":         {[]turn{fails(codes.Canceled)}, 2, 0, ""},
		"not found":                   {[]turn{fails(codes.NotFound)}, 1, 0, "NotFound: failed by the test"},
		"too long":                    {[]turn{fails(codes.DeadlineExceeded)}, 1, 0, "the command did not end within the time that the server allows"},
		"wrong operation":             {[]turn{func(x *execution) error { return x.done(nil) }}, 1, 0, remote.ErrWrong.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorker(test.turns...)
			e := w.executor(t)
			if test.want == "" {
				check(t, e)
			} else if _, err := e.Run(t.Context(), simple()); err == nil || !strings.Contains(err.Error(), ": execute an Action: "+test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
			if w.calls["Execute"] != test.executed || w.calls["WaitExecution"] != test.waits {
				t.Errorf("the calls were %v, want %d executions and %d waits", w.calls, test.executed, test.waits)
			}
		})
	}
}

// TestSteady: streams of a long execution can break any number of times.
func TestSteady(t *testing.T) {
	slow := func(x *execution) error {
		time.Sleep(60 * time.Millisecond)
		return breaks(codes.Unavailable)(x)
	}
	l := eager
	l.longest = 50 * time.Millisecond
	w := newWorker(repeat(9, slow)...)
	check(t, w.executorWithin(t, l))
	if w.calls["Execute"] != 1 || w.calls["WaitExecution"] != 9 {
		t.Errorf("the calls were %v", w.calls)
	}
}

// TestEvicted: if the server loses blobs after the upload, the client sends them again, a limited number of times.
func TestEvicted(t *testing.T) {
	lost := blobOf([]byte("one")).digest.Hash
	evict := func(x *execution) error {
		x.mu.Lock()
		delete(x.blobs, lost)
		x.mu.Unlock()
		return carryOut(x)
	}
	w := newWorker(evict)
	w.hidden = map[string]bool{lost: true} // FindMissingBlobs does not report the blob
	w.blobs[lost] = []byte("one")
	e := w.executor(t)
	check(t, e)
	if w.calls["Execute"] != 2 || w.calls["BatchUpdateBlobs"] != 2 {
		t.Errorf("the calls were %v", w.calls)
	}
	w.turns, w.results = repeat(9, evict), map[string]*repb.ActionResult{}
	if _, err := e.Run(t.Context(), simple()); !errors.Is(err, remote.ErrMissing) || w.calls["Execute"] != 2+3 {
		t.Errorf("%v after %d executions", err, w.calls["Execute"]-2)
	}
	for text, subject := range map[string]string{
		"of another": "blobs/" + keyOf(1) + "/1", "odd": "x",
	} {
		w = newWorker(func(x *execution) error { return x.failed(codes.FailedPrecondition, (&violation{subject}).failure()) })
		if _, err := w.executor(t).Run(t.Context(), simple()); !errors.Is(err, remote.ErrMissing) || w.calls["Execute"] != 1 {
			t.Errorf("a blob %s: %v after %d executions", text, err, w.calls["Execute"])
		}
	}
	// The server does not name the missing blobs, or ends the call with the error.
	for _, end := range []turn{
		func(x *execution) error { return x.failed(codes.FailedPrecondition) },
		refuses(codes.FailedPrecondition),
	} {
		w = newWorker(func(x *execution) error {
			x.mu.Lock()
			delete(x.blobs, lost)
			x.mu.Unlock()
			return end(x)
		})
		check(t, w.executor(t))
	}
}

// TestPool: if all workers have other properties, the error names the properties of the Action.
func TestPool(t *testing.T) {
	for _, code := range []codes.Code{codes.FailedPrecondition, codes.InvalidArgument} {
		for _, end := range []turn{fails(code), refuses(code)} {
			w := newWorker(end)
			a := simple()
			a.Platform = map[string]string{"pool": "large", "ISA": "aarch64"}
			_, err := w.executor(t).Run(t.Context(), a)
			if !has(err, code) || errors.Is(err, remote.ErrMissing) || !strings.HasSuffix(err.Error(), "(the platform properties of the Action are ISA=aarch64, pool=large)") {
				t.Error(err)
			}
			if w.calls["Execute"] != 1 {
				t.Errorf("%d executions", w.calls["Execute"])
			}
		}
	}
}

// TestCancel: if the context ends, the client asks the server to cancel the execution, also if the execution does not have a name yet.
// The client does not wait long for the server.
func TestCancel(t *testing.T) {
	silent := func(x *execution) error { <-x.stream.Context().Done(); return nil }
	for name, test := range map[string]struct {
		turn   turn
		hang   bool // CancelOperation does not return
		refuse bool // the server does not have CancelOperation
		most   time.Duration
		asked  bool
	}{
		"runs": {func(x *execution) error { return errors.Join(x.state(nil), silent(x)) }, false, false, 2 * time.Second, true},
		"unnamed": {func(x *execution) error {
			time.Sleep(200 * time.Millisecond)
			return errors.Join(x.state(nil), silent(x))
		}, false, false, 2 * time.Second, true},
		"silent":       {silent, false, false, 4 * time.Second, false},
		"hangs":        {func(x *execution) error { return errors.Join(x.state(nil), silent(x)) }, true, false, 4 * time.Second, false},
		"not possible": {func(x *execution) error { return errors.Join(x.state(nil), silent(x)) }, false, true, 2 * time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorker(test.turn)
			w.hang = map[string]bool{"CancelOperation": test.hang}
			if test.refuse {
				w.refuse, w.with = map[string]int{"CancelOperation": -1}, codes.Unimplemented
			}
			l := eager
			l.cancel = time.Second
			e := w.executorWithin(t, l)
			stopped := errors.New("stopped")
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			go func() {
				for w.count("Execute") == 0 {
					time.Sleep(time.Millisecond)
				}
				time.Sleep(50 * time.Millisecond)
				cancel(stopped)
			}()
			start := time.Now()
			_, err := e.Run(ctx, simple())
			if took := time.Since(start); !errors.Is(err, stopped) || took > test.most {
				t.Errorf("after %s: %v", took, err)
			}
			if test.asked && (len(w.cancelled) != 1 || !strings.HasPrefix(<-w.cancelled, "operations/1")) {
				t.Error("the server did not get CancelOperation")
			}
		})
	}
}

// TestBeat: while an Action waits or runs, small calls show that the server works. Without an Action, the client does not make calls.
func TestBeat(t *testing.T) {
	w := newWorker(func(x *execution) error {
		for start := time.Now(); x.count("GetCapabilities") < 5 && time.Since(start) < 10*time.Second; {
			time.Sleep(time.Millisecond)
		}
		return carryOut(x)
	})
	l := eager
	l.beat = 10 * time.Millisecond
	e := w.executorWithin(t, l)
	check(t, e)
	time.Sleep(50 * time.Millisecond) // a call that has begun can end
	before := w.count("GetCapabilities")
	time.Sleep(200 * time.Millisecond)
	if now := w.count("GetCapabilities"); before < 5 || now > before {
		t.Errorf("%d calls, then %d", before, now-before)
	}
}

// TestDead: the client notices if a server stops sending data, although the connection remains open.
func TestDead(t *testing.T) {
	t.Parallel()
	w := newWorker(func(x *execution) error {
		return errors.Join(x.state(nil), func() error { <-x.stream.Context().Done(); return nil }())
	})
	wire := newWire(t, w.start(t))
	l := eager
	// gRPC checks a connection after 10 seconds at the earliest.
	l.beat, l.call = time.Second, 2*time.Second
	e, err := openExecution(remote.Access{URL: "grpc://" + wire.at + "/some/instance"}, l)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	go func() {
		for w.count("Execute") == 0 {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(50 * time.Millisecond)
		wire.cut()
	}()
	start := time.Now()
	check(t, e)
	if took := time.Since(start); took > 25*time.Second || w.count("WaitExecution") != 1 {
		t.Errorf("it took %s, the calls were %v", took, w.calls)
	}
}

// wire connects clients with a server, until it is cut.
type wire struct {
	at   string
	mu   sync.Mutex
	dead []*bool // one for each connection so far
}

func newWire(t *testing.T, to string) *wire {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	w := &wire{at: listener.Addr().String()}
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				near.Close()
				continue
			}
			dead := new(bool)
			w.mu.Lock()
			w.dead = append(w.dead, dead)
			w.mu.Unlock()
			go w.copy(near, far, dead)
			go w.copy(far, near, dead)
		}
	}()
	return w
}

// cut drops all data on the connections so far. They remain open.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, dead := range w.dead {
		*dead = true
	}
}

func (w *wire) copy(to, from net.Conn, dead *bool) {
	defer to.Close()
	some := make([]byte, 4096)
	for {
		n, err := from.Read(some)
		w.mu.Lock()
		lost := *dead
		w.mu.Unlock()
		if !lost {
			if _, err := to.Write(some[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
