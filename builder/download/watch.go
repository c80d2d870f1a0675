package download

import (
	"context"
	"errors"
	"io"
	"net/url"
	"sync"
	"time"
)

// stallBytes is the number of bytes that have to come within the limit of a [Watch]. A byte now and then is not a transfer.
const stallBytes = 1 << 10

// Watch cancels the context of a request that does not continue. It is for clients that send their own
// requests, such as the client of a registry. A [Client] has one for each request.
type Watch struct {
	ctx    context.Context
	cancel context.CancelCauseFunc

	mu     sync.Mutex
	timer  *time.Timer
	until  time.Time
	reason string
}

// NewWatch returns a watch and the context for the request. It waits without limit until
// [Watch.Within] is called.
func NewWatch(ctx context.Context) (*Watch, context.Context) {
	ctx, cancel := context.WithCancelCause(ctx)
	return &Watch{ctx: ctx, cancel: cancel}, ctx
}

// Within cancels the request after limit, unless it is called again before then. The error is reason
// with the limit appended: "no answer within 10s".
func (w *Watch) Within(limit time.Duration, reason string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.until, w.reason = time.Now().Add(limit), reason+" "+limit.String()
	if w.timer == nil {
		w.timer = time.AfterFunc(limit, w.over)
		return
	}
	w.timer.Reset(limit)
}

// over is called when the limit is reached. The timer may have been set again at the same moment.
func (w *Watch) over() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !time.Now().Before(w.until) {
		w.cancel(&stallError{w.reason})
	}
}

// End releases the resources of the watch and the request, also if the request has not finished.
func (w *Watch) End() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil {
		w.timer.Stop()
	}
	w.cancel(nil)
}

// Why returns the reason for an error of net/http. If the request was cancelled, this is the cause. Otherwise it is
// the error without the URL, which may have a signature in it.
func (w *Watch) Why(err error) error { return why(w.ctx, err) }

// Reader returns a reader of r that counts as progress: with each stallBytes that it gives, the
// request gets limit again.
func (w *Watch) Reader(r io.Reader, limit time.Duration, reason string) io.Reader {
	return &watched{r: r, watch: w, limit: limit, reason: reason}
}

type watched struct {
	r      io.Reader
	watch  *Watch
	limit  time.Duration
	reason string
	fresh  int // bytes since the limit was set
}

// Read implements [io.Reader].
func (r *watched) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if r.fresh += n; r.fresh >= stallBytes {
		r.fresh = 0
		r.watch.Within(r.limit, r.reason)
	}
	if err != nil && err != io.EOF {
		err = r.watch.Why(err)
	}
	return n, err
}

// why returns the reason for an error of net/http. That error does not have
// the cause of a cancelled context, and it has the whole URL.
func why(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return err
}
