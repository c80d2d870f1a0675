package reapi

import (
	"context"
	"time"
)

// limits are the longest waits for the server, and the most that is sent at once.
type limits struct {
	// connect is the limit for a connection, with TLS. call is the limit for one call that is not a stream, or for the helper.
	connect, call time.Duration
	// stall is the limit for a stream to move stallBytes more, or to end.
	stall      time.Duration
	stallBytes int
	// small is the size of the largest blob that is not sent as a stream.
	small int64
	// digests is the number of digests in one call. lookups limits how many ActionResults the client
	// asks for, or how many inputs it sends, at the same time.
	digests, lookups int
	work
}

// work has the limits that only an executor uses.
type work struct {
	// beat is the time between two calls that show that the server works, while Actions wait or run.
	beat time.Duration
	// tries limits the tries after passing errors. runs limits the lost executions of an Action.
	tries, runs int
	// pause is the time before the second try. It doubles with each try, up to longest. A try that takes longer than longest
	// counts as the first try.
	pause, longest time.Duration
	// cancel is the limit for the call that cancels an Action, and for the wait until the execution has a name.
	cancel time.Duration
}

// usual has short times, because a cache that makes a build wait does not save time.
var usual = limits{
	connect: 5 * time.Second, call: 10 * time.Second, stall: 15 * time.Second, stallBytes: 64 << 10,
	small: 1 << 20, digests: 1000, lookups: 16,
}

// pauseAfter waits before the next try, or until ctx ends. tries is the number of tries so far, at least 1.
func (w work) pauseAfter(ctx context.Context, tries int) {
	select {
	case <-ctx.Done():
	case <-time.After(min(w.pause<<(tries-1), w.longest)):
	}
}

// steady has longer times, because giving up an execution loses its work.
var steady = limits{
	connect: 10 * time.Second, call: 30 * time.Second, stall: time.Minute, stallBytes: 64 << 10,
	small: 1 << 20, digests: 1000, lookups: 8,
	work: work{beat: 20 * time.Second, tries: 7, runs: 4, pause: time.Second, longest: 30 * time.Second, cancel: 5 * time.Second},
}

// abilities are the abilities of a server that matter here.
type abilities struct {
	// zstd is true if blobs are sent and received in Zstandard.
	zstd bool
	// small is the size of the largest blob that is sent with others.
	small int64
	// largest is the size of the largest blob, or 0 without a limit.
	largest int64
	// put is true if the server takes new results.
	put bool
	// idle is the reason why the server does not execute Actions, or nil if it executes Actions.
	idle error
}
