package serve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/treewright/treewright/builder/extend"
)

// Extender makes images of packages.
type Extender interface {
	// Extend makes the image that a machine asks for, and publishes it below [extend.Dir] in the output directory of the
	// flavour, which has the commit. It calls progress with messages that are [extend.Running], from any goroutine. A fault
	// of the request is an *[extend.Failure]. It returns soon after ctx has ended, and leaves nothing half-made.
	Extend(ctx context.Context, flavour string, r extend.Request, progress func(extend.Message)) error
}

// job is an image in the making. All clients that ask for it share it.
type job struct {
	flavour string
	request extend.Request
	// turn and number order the jobs that wait: see [queue.add].
	turn, number int64
	address      string // the client that has the turn
	clients      int
	leaves       int // the number of times that the last client left
	shared       int // the number of clients that asked for it in all
	state        extend.Message
	changed      chan struct{}           // closed when state, or the place in the queue, changes
	cancel       context.CancelCauseFunc // nil while it waits
}

// The reasons why a job ends early.
var (
	errAlone = errors.New("all clients have left")
	errSlow  = errors.New("out of time")
)

// over reports whether a message is the last one.
func over(m extend.Message) bool { return m.State == extend.Done || m.State == extend.Failed }

// queue makes images, one after the other. It does not depend on HTTP.
type queue struct {
	extender Extender
	// jobs is the maximum number of jobs that run at the same time, most the maximum number of jobs that wait.
	jobs, most int
	// timeout is the time for which a job may run, alone the time for which it lasts without a client.
	timeout, alone time.Duration
	// there reports whether an image is published.
	there func(flavour string, r extend.Request) bool
	log   func(string)
	ctx   context.Context

	mu      sync.Mutex
	waiting []*job // in the order in which they will run
	running map[string]*job
	known   map[string]*job // the jobs that clients can join
	turn    int64           // of the job that was started last
	arrived int64
	ended   sync.WaitGroup
	count   jobCount
}

// jobCount counts the outcomes of jobs.
type jobCount struct {
	outcomes map[string]int64
	seconds  float64 // that jobs ran
}

// jobKey identifies requests for the same image.
func jobKey(flavour string, r extend.Request) string { return flavour + "/" + r.DocumentFile() }

// stopping is the answer of a server that is about to stop.
func stopping() *extend.Failure {
	return &extend.Failure{Reason: extend.Busy, Text: "the server is about to stop; ask again later"}
}

// join returns the job that makes an image, for one client more. The client leaves it later. The failure
// is the reason if it does not return a job.
func (q *queue) join(flavour string, r extend.Request, address string) (*job, *extend.Failure) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.ctx.Err() != nil {
		return nil, stopping()
	}
	turn := q.nextTurn(address)
	j := q.known[jobKey(flavour, r)]
	if j == nil {
		j = &job{flavour: flavour, request: r, turn: turn, address: address, changed: make(chan struct{}), state: extend.Message{State: extend.Queued}}
		if !q.add(j) {
			return nil, &extend.Failure{Reason: extend.Busy, Text: fmt.Sprintf("%d requests for other images wait already; ask again later", q.most)}
		}
	} else if turn < j.turn {
		j.turn, j.address = turn, address
		q.sort()
	}
	j.clients++
	j.shared++
	q.start()
	return j, nil
}

// nextTurn is the turn of one more job of a client: the one after its last that waits. So a client that asks for
// many images comes after all others with each, except for the first.
func (q *queue) nextTurn(address string) int64 {
	turn := q.turn
	for _, j := range q.waiting {
		if j.address == address {
			turn = max(turn, j.turn)
		}
	}
	return turn + 1
}

// add puts a job into the queue. If the queue is full, the last job in it has to go, unless the new one would be the last: one
// client cannot keep others out.
func (q *queue) add(j *job) bool {
	q.arrived++
	j.number = q.arrived
	if len(q.waiting) >= q.most && (len(q.running) >= q.jobs || q.running[j.flavour] != nil) {
		last := q.waiting[len(q.waiting)-1]
		if last.turn <= j.turn {
			return false
		}
		q.remove(last)
		q.finish(last, &extend.Failure{Reason: extend.Busy, Text: "requests of other machines come first, and the queue is full; ask again later"})
	}
	q.known[jobKey(j.flavour, j.request)] = j
	q.waiting = append(q.waiting, j)
	q.sort()
	return true
}

func (q *queue) sort() {
	slices.SortFunc(q.waiting, func(a, b *job) int { return cmp.Or(cmp.Compare(a.turn, b.turn), cmp.Compare(a.number, b.number)) })
	q.moved()
}

// moved informs the clients of waiting jobs that their place may be another one.
func (q *queue) moved() {
	for _, j := range q.waiting {
		j.tell(j.state)
	}
}

func (j *job) tell(m extend.Message) {
	j.state = m
	close(j.changed)
	j.changed = make(chan struct{})
}

// remove takes a job out of the jobs that wait.
func (q *queue) remove(j *job) {
	q.waiting = slices.DeleteFunc(q.waiting, func(o *job) bool { return o == j })
	q.moved()
}

// forget keeps other clients from joining a job.
func (q *queue) forget(j *job) {
	if key := jobKey(j.flavour, j.request); q.known[key] == j {
		delete(q.known, key)
	}
}

// finish ends a job that does not run (any more); failure is nil if the image was published.
func (q *queue) finish(j *job, failure *extend.Failure) {
	q.forget(j)
	if over(j.state) {
		return
	}
	m := extend.Message{State: extend.Done, Document: j.request.DocumentFile()}
	if failure != nil {
		m = extend.Message{State: extend.Failed, Failure: failure}
	}
	j.tell(m)
}

// start runs as many jobs as can be run. Of one flavour it is one, because a flavour's output is written by one build.
func (q *queue) start() {
	for len(q.running) < q.jobs {
		i := slices.IndexFunc(q.waiting, func(j *job) bool { return q.running[j.flavour] == nil })
		if i < 0 {
			return
		}
		j := q.waiting[i]
		q.remove(j)
		q.turn = max(q.turn, j.turn)
		q.running[j.flavour] = j
		ctx, cancel := context.WithCancelCause(q.ctx)
		j.cancel = cancel
		j.tell(extend.Message{State: extend.Running})
		q.ended.Add(1)
		go q.run(ctx, j)
	}
}

// run makes the image of a job.
func (q *queue) run(ctx context.Context, j *job) {
	defer q.ended.Done()
	began := time.Now()
	limited, stop := context.WithTimeoutCause(ctx, q.timeout, errSlow)
	err := q.extend(limited, j)
	cause := context.Cause(limited)
	stop()
	if err == nil && !q.there(j.flavour, j.request) {
		err = errors.New("the image was made, but it is not in the output directory")
	}
	took := time.Since(began)

	q.mu.Lock()
	defer q.mu.Unlock()
	failure, outcome := q.judge(err, cause)
	q.note(j, outcome, err, took)
	delete(q.running, j.flavour)
	q.finish(j, failure)
	j.cancel(nil)
	if q.ctx.Err() == nil {
		q.start()
		q.moved()
	}
}

// extend has the image made. A fault of the program ends the job, and not the server, from which machines upgrade.
func (q *queue) extend(ctx context.Context, j *job) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return q.extender.Extend(ctx, j.flavour, j.request, func(m extend.Message) {
		q.mu.Lock()
		defer q.mu.Unlock()
		if !over(j.state) {
			j.tell(extend.Message{State: extend.Running, Step: m.Step, Ended: m.Ended, Steps: m.Steps})
		}
	})
}

// judge returns the message to clients at the end of a job, and the outcome that it counts as.
func (q *queue) judge(err, cause error) (failure *extend.Failure, outcome string) {
	switch {
	case err == nil:
		return nil, string(extend.Done)
	case errors.Is(cause, errAlone):
		return &extend.Failure{Reason: extend.Internal, Text: errAlone.Error()}, "left"
	case errors.Is(cause, errSlow):
		return &extend.Failure{Reason: extend.Internal, Text: fmt.Sprintf("the image was not ready after %v, which is the limit of this server", q.timeout)}, "timeout"
	case q.ctx.Err() != nil:
		return stopping(), "stopped"
	case errors.As(err, &failure):
		return failure, string(failure.Reason)
	}
	// Clients do not get the error itself: it may describe this machine.
	return &extend.Failure{Reason: extend.Internal, Text: "the image could not be made; the log of the server has the reason"}, string(extend.Internal)
}

// note counts a job that ran, and logs it.
func (q *queue) note(j *job, outcome string, err error, took time.Duration) {
	q.count.outcomes[outcome]++
	q.count.seconds += took.Seconds()
	line := fmt.Sprintf("image of %s for %s %.12s (%s): %s after %v", shortened(j.request.Packages), j.flavour, j.request.Commit, clients(j.shared), outcome, took.Round(100*time.Millisecond))
	if err != nil && outcome != "left" && outcome != "stopped" {
		line += ": " + err.Error()
	}
	q.log(line)
}

// look returns the current message to a client of a job, and a channel that is closed when the message changes.
func (q *queue) look(j *job) (extend.Message, <-chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	m := j.state
	if m.State == extend.Queued {
		m.Ahead = len(q.running) + slices.Index(q.waiting, j)
	}
	return m, j.changed
}

// leave is called when a client of a job is gone. A job goes on for some time without clients: a machine whose line was cut, or whose
// proxy lost patience, asks again.
func (q *queue) leave(j *job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if j.clients--; j.clients > 0 || over(j.state) {
		return
	}
	j.leaves++
	leaves := j.leaves
	time.AfterFunc(q.alone, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		if j.clients > 0 || j.leaves != leaves || over(j.state) {
			return
		}
		q.forget(j)
		if j.cancel != nil {
			j.cancel(errAlone)
			return
		}
		q.remove(j)
		q.count.outcomes["left"]++
		q.finish(j, &extend.Failure{Reason: extend.Internal, Text: errAlone.Error()})
	})
}

// end informs all clients that the server stops, once ctx has ended.
func (q *queue) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	waiting := q.waiting
	q.waiting = nil
	for _, j := range waiting {
		q.finish(j, stopping())
	}
	for _, j := range q.running {
		q.finish(j, stopping())
	}
}

// stop waits for the jobs that run, once ctx has ended.
func (q *queue) stop() {
	q.end() // no job begins after it
	q.ended.Wait()
}

// now returns the number of jobs that wait and that run, and the outcomes of others.
func (q *queue) now() (waiting, running int, count jobCount) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting), len(q.running), jobCount{maps.Clone(q.count.outcomes), q.count.seconds}
}

// shortened lists the first names.
func shortened(names []string) string {
	const most = 10
	if len(names) <= most {
		return strings.Join(names, " ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], " "), len(names)-most)
}

// clients counts the clients that asked for an image.
func clients(n int) string {
	if n == 1 {
		return "1 client"
	}
	return fmt.Sprintf("%d clients", n)
}
