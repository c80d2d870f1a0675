package serve

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/extend"
)

// wait waits until the given numbers of jobs wait and run.
func wait(t *testing.T, h *Handler, waiting, running int) {
	t.Helper()
	for range 2000 {
		if w, r, _ := h.extending.queue.now(); w == waiting && r == running {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	w, r, _ := h.extending.queue.now()
	t.Fatalf("%d wait and %d run, not %d and %d", w, r, waiting, running)
}

// TestJobsAreShared: the same request, from many clients and in another order of names, is one job.
func TestJobsAreShared(t *testing.T) {
	addr, f, _, _ := extender(t, nil)
	var clients []*client
	for i := range 5 {
		packages := []string{"jq", "vim"}
		if i%2 == 1 {
			packages = []string{"vim", "jq", "vim"}
		}
		clients = append(clients, post(t, addr, []string{"/extend", "/a/extend"}[i%2], body(t, commitA, packages...), from(fmt.Sprintf("192.0.2.%d", i))...))
	}
	job := f.next(t)
	for _, c := range clients {
		c.until(t, is(extend.Running))
	}
	clients[0].leave()
	job.end <- nil
	for _, c := range clients[1:] {
		if m := c.last(t); m.State != extend.Done {
			t.Errorf("ended with %+v", m)
		}
	}
	f.none(t)
}

// TestClientsTakeTurns: a client that asks for many images does not hold up others.
func TestClientsTakeTurns(t *testing.T) {
	addr, f, h, _ := extender(t, nil)
	post(t, addr, "/extend", body(t, commitA, "first"), from("192.0.2.1")...)
	running := f.next(t)
	var clients []*client
	for i, c := range []struct{ address, packages string }{
		{"192.0.2.1", "a1"}, {"192.0.2.1", "a2"}, {"192.0.2.1", "a3"}, {"192.0.2.2", "b1"}, {"192.0.2.2", "b2"}, {"192.0.2.3", "c1"},
	} {
		clients = append(clients, post(t, addr, "/extend", body(t, commitA, c.packages), from(c.address)...))
		wait(t, h, i+1, 1)
	}
	// The job that runs comes before all of them.
	for i, ahead := range []int{1, 4, 6, 2, 5, 3} {
		clients[i].until(t, func(m extend.Message) bool { return m.State == extend.Queued && m.Ahead == ahead })
	}
	var order []string
	for range clients {
		running.end <- nil
		running = f.next(t)
		order = append(order, running.request.Packages[0])
	}
	if want := []string{"a1", "b1", "c1", "a2", "b2", "a3"}; !slices.Equal(order, want) {
		t.Errorf("the order is %v, not %v", order, want)
	}
}

// TestNewClientsComeSoon: a client that comes later does not wait for all images that another client asked for.
func TestNewClientsComeSoon(t *testing.T) {
	addr, f, h, _ := extender(t, nil)
	post(t, addr, "/extend", body(t, commitA, "first"), from("192.0.2.1")...)
	running := f.next(t)
	for i := range 5 {
		post(t, addr, "/extend", body(t, commitA, fmt.Sprintf("a%d", i)), from("192.0.2.1")...)
		wait(t, h, i+1, 1)
	}
	for range 3 {
		running.end <- nil
		running = f.next(t)
	}
	post(t, addr, "/extend", body(t, commitA, "late"), from("192.0.2.2")...)
	wait(t, h, 3, 1)
	for i := range 2 {
		running.end <- nil
		if running = f.next(t); running.request.Packages[0] == "late" {
			return
		}
		_ = i
	}
	t.Error("the late client waits for all of the other one")
}

// TestSharedJobComesWithTheFirst: a job that two clients want comes when the turn of one of them comes.
func TestSharedJobComesWithTheFirst(t *testing.T) {
	addr, f, h, _ := extender(t, nil)
	post(t, addr, "/extend", body(t, commitA, "first"), from("192.0.2.1")...)
	running := f.next(t)
	for i := range 4 {
		post(t, addr, "/extend", body(t, commitA, fmt.Sprintf("a%d", i)), from("192.0.2.1")...)
		wait(t, h, i+1, 1)
	}
	c := post(t, addr, "/extend", body(t, commitA, "a3"), from("192.0.2.2")...)
	c.until(t, func(m extend.Message) bool { return m.Ahead == 2 })
	wait(t, h, 4, 1)
	running.end <- nil
	f.next(t).end <- nil
	if job := f.next(t); job.request.Packages[0] != "a3" {
		t.Errorf("the second is %v", job.request.Packages)
	}
}

// TestFullQueue: the queue has an end, and one client cannot take all of it from others.
func TestFullQueue(t *testing.T) {
	addr, f, h, _ := extender(t, func(r *config.Extend, _ *extending) { r.Queue = 2 })
	post(t, addr, "/extend", body(t, commitA, "first"), from("192.0.2.1")...)
	running := f.next(t)
	post(t, addr, "/extend", body(t, commitA, "a1"), from("192.0.2.1")...)
	wait(t, h, 1, 1)
	loser := post(t, addr, "/extend", body(t, commitA, "a2"), from("192.0.2.1")...)
	wait(t, h, 2, 1)
	full := post(t, addr, "/extend", body(t, commitA, "a3"), from("192.0.2.1")...)
	if failure := full.failure(t); full.StatusCode != http.StatusTooManyRequests || failure.Reason != extend.Busy || full.Header.Get("Retry-After") == "" {
		t.Errorf("%s %v %v", full.Status, full.Header, failure)
	}
	// A request for the same image as a waiting job does not need a place.
	if again := post(t, addr, "/extend", body(t, commitA, "a1"), from("192.0.2.9")...); again.StatusCode != 200 {
		t.Errorf("a request that is in the queue: %s", again.Status)
	}
	other := post(t, addr, "/extend", body(t, commitA, "b1"), from("192.0.2.2")...)
	if other.StatusCode != 200 {
		t.Fatalf("another client: %s %v", other.Status, other.failure(t))
	}
	if m := loser.last(t); m.State != extend.Failed || m.Failure.Reason != extend.Busy {
		t.Errorf("the last job of the first client: %+v", m)
	}
	third := post(t, addr, "/extend", body(t, commitA, "c1"), from("192.0.2.3")...)
	if third.StatusCode != http.StatusTooManyRequests {
		t.Errorf("a third client: %s", third.Status)
	}
	var order []string
	for range 2 {
		running.end <- nil
		running = f.next(t)
		order = append(order, running.request.Packages[0])
	}
	if !slices.Equal(order, []string{"a1", "b1"}) {
		t.Errorf("the order is %v", order)
	}
	hasMetric(t, addr, `treewright_extend_requests_total{outcome="busy"}`, "3")
}

// TestOneJobForAFlavour: flavours are made beside each other, and images of one flavour are not.
func TestOneJobForAFlavour(t *testing.T) {
	addr, f, h, _ := extender(t, func(r *config.Extend, _ *extending) { r.Jobs = 2 })
	post(t, addr, "/extend", body(t, commitA, "a1"))
	first := f.next(t)
	post(t, addr, "/extend", body(t, commitA, "a2"))
	wait(t, h, 1, 1)
	post(t, addr, "/extend", body(t, commitB, "b1"))
	if job := f.next(t); job.flavour != "b" {
		t.Errorf("beside a %s is made", job.flavour)
	}
	wait(t, h, 1, 2)
	f.none(t)
	first.end <- nil
	if job := f.next(t); job.request.Packages[0] != "a2" {
		t.Errorf("then %v", job.request.Packages)
	}
}

// TestJobsGoOnAlone: an image exists when the client that asked for it comes back.
func TestJobsGoOnAlone(t *testing.T) {
	addr, f, h, _ := extender(t, nil)
	c := post(t, addr, "/extend", body(t, commitA, "jq"))
	job := f.next(t)
	c.leave()
	hasMetric(t, addr, `treewright_extend_requests_total{outcome="left"}`, "1")
	back := post(t, addr, "/extend", body(t, commitA, "jq"))
	back.until(t, is(extend.Running))
	back.leave()
	hasMetric(t, addr, `treewright_extend_requests_total{outcome="left"}`, "2")
	if job.ctx.Err() != nil {
		t.Fatal("the job was ended")
	}
	job.end <- nil
	wait(t, h, 0, 0)
	if m := post(t, addr, "/extend", body(t, commitA, "jq")).last(t); m.State != extend.Done {
		t.Errorf("ended with %+v", m)
	}
	f.none(t)
}

// TestJobsEndAlone: images that no client waits for any more are not made, whether their jobs run or wait.
func TestJobsEndAlone(t *testing.T) {
	addr, f, h, _ := extender(t, func(_ *config.Extend, e *extending) { e.queue.alone = time.Millisecond })
	running := post(t, addr, "/extend", body(t, commitA, "jq"))
	job := f.next(t)
	waiting := post(t, addr, "/extend", body(t, commitA, "vim"))
	wait(t, h, 1, 1)
	waiting.leave()
	wait(t, h, 0, 1)
	running.leave()
	<-job.ctx.Done()
	wait(t, h, 0, 0)
	hasMetric(t, addr, `treewright_extend_jobs_total{outcome="left"}`, "2")
	post(t, addr, "/extend", body(t, commitA, "jq"))
	f.next(t).end <- nil
}

// TestTimeout: a job that takes too long ends.
func TestTimeout(t *testing.T) {
	addr, f, _, _ := extender(t, func(r *config.Extend, _ *extending) { r.Timeout = time.Millisecond })
	c := post(t, addr, "/extend", body(t, commitA, "jq"))
	f.next(t)
	if m := c.last(t); m.State != extend.Failed || m.Failure.Reason != extend.Internal || !strings.Contains(m.Failure.Text, "not ready after 1ms") {
		t.Errorf("ended with %+v %v", m, m.Failure)
	}
	hasMetric(t, addr, `treewright_extend_jobs_total{outcome="timeout"}`, "1")
}

// stubborn is an Extender that takes its time to end.
type stubborn struct {
	begun, ended chan struct{}
	may          chan struct{}
}

// Extend implements [Extender].
func (s *stubborn) Extend(ctx context.Context, _ string, _ extend.Request, _ func(extend.Message)) error {
	close(s.begun)
	<-ctx.Done()
	<-s.may
	close(s.ended)
	return ctx.Err()
}

// TestStop: clients hear at once that the server stops, and the server ends after the job has cleaned up.
func TestStop(t *testing.T) {
	h, _ := newHandler(t, extendable(t))
	s := &stubborn{make(chan struct{}), make(chan struct{}), make(chan struct{})}
	stop := h.Extend(t.Context(), s, &config.Extend{Packages: []string{"*"}, Jobs: 1, Queue: 5, MostPackages: 5, Timeout: time.Hour})
	addr, _ := start(t, h)
	running := post(t, addr, "/extend", body(t, commitA, "jq"))
	<-s.begun
	waiting := post(t, addr, "/extend", body(t, commitA, "vim"))
	wait(t, h, 1, 1)
	stopped := make(chan struct{})
	go func() { stop(); close(stopped) }()
	for _, c := range []*client{running, waiting} {
		if m := c.last(t); m.State != extend.Failed || m.Failure.Reason != extend.Busy || !strings.Contains(m.Failure.Text, "about to stop") {
			t.Errorf("ended with %+v", m)
		}
	}
	if late := post(t, addr, "/extend", body(t, commitA, "jq")); late.StatusCode != http.StatusTooManyRequests {
		t.Errorf("a request to a server that stops: %s", late.Status)
	}
	select {
	case <-stopped:
		t.Error("the server did not wait for its job")
	default:
	}
	close(s.may)
	<-stopped
	select {
	case <-s.ended:
	default:
		t.Error("the job did not end")
	}
}

// panicking is an Extender with a fault.
type panicking struct{}

// Extend implements [Extender].
func (panicking) Extend(context.Context, string, extend.Request, func(extend.Message)) error {
	panic(errors.New("a fault of the program"))
}

// TestPanic: machines can upgrade although the program that makes images has a fault.
func TestPanic(t *testing.T) {
	root := extendable(t)
	lines := make(chan string, 10)
	h, err := New(root, nil, func(line string) { lines <- line })
	if err != nil {
		t.Fatal(err)
	}
	defer h.Extend(t.Context(), panicking{}, &config.Extend{Packages: []string{"*"}, Jobs: 1, Queue: 5, MostPackages: 50, Timeout: time.Hour})()
	addr, _ := start(t, h)
	c := post(t, addr, "/extend", body(t, commitA, "jq", "vim"))
	if m := c.last(t); m.State != extend.Failed || m.Failure.Reason != extend.Internal || strings.Contains(m.Failure.Text, "fault of the program") {
		t.Errorf("ended with %+v", m)
	}
	line := <-lines
	for strings.HasPrefix(line, "repo is an artifact of a and of b") {
		line = <-lines
	}
	if !strings.HasPrefix(line, "image of jq vim for a "+commitA[:12]+" (1 client): internal after ") || !strings.Contains(line, "a fault of the program") {
		t.Errorf("the log has %s", line)
	}
}
