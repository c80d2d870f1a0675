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
	// digests is the number of digests that are asked for at once, lookups that of ActionResults, or of inputs that are sent.
	digests, lookups int
	work
}

// work are the limits of what only an executor does.
type work struct {
	// beat is the time between two calls that show that the server is there, while Actions wait or run.
	beat time.Duration
	// tries is how often something is tried that the server cannot do for the moment, runs how often an Action is lost.
	tries, runs int
	// pause is the time before the second try. It doubles with each try, up to longest. A connection that lasted that
	// long counts as a new beginning.
	pause, longest time.Duration
	// cancel is the limit for the server to take note that an Action is cancelled.
	cancel time.Duration
}

// usual has short times, because a cache that makes a build wait does not save time.
var usual = limits{
	connect: 5 * time.Second, call: 10 * time.Second, stall: 15 * time.Second, stallBytes: 64 << 10,
	small: 1 << 20, digests: 1000, lookups: 16,
}

// pauseAfter waits after a number of tries, or until ctx ends.
func (w work) pauseAfter(ctx context.Context, tries int) {
	select {
	case <-ctx.Done():
	case <-time.After(min(w.pause<<(tries-1), w.longest)):
	}
}

// steady has more patience, because a step that is given up is lost work.
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
	// idle is the reason why the server does not execute Actions, nil if it does.
	idle error
}
