package reapi

import "time"

// limits are how long to wait for what, and how much is sent at once.
type limits struct {
	// connect is for a connection, with TLS; call for one call that is no stream, or the helper.
	connect, call time.Duration
	// stall is for a stream to move stallBytes more, or to end.
	stall      time.Duration
	stallBytes int
	// small is the most bytes of a blob that is not sent as a stream.
	small int64
	// digests is how many digests are asked for at once, lookups how many ActionResults.
	digests, lookups int
}

// usual are short times: a cache that makes a build wait spares nothing.
var usual = limits{
	connect: 5 * time.Second, call: 10 * time.Second, stall: 15 * time.Second, stallBytes: 64 << 10,
	small: 1 << 20, digests: 1000, lookups: 16,
}

// abilities are what a server can do, as far as it matters here.
type abilities struct {
	// zstd is that blobs are sent and received in Zstandard.
	zstd bool
	// small is the most bytes of a blob that is sent with others.
	small int64
	// largest is the most bytes of any blob, 0 for no limit.
	largest int64
	// put is that new results are taken.
	put bool
}
