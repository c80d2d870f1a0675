package reapi

import "time"

// limits are the longest waits for the server, and the most that is sent at once.
type limits struct {
	// connect is the limit for a connection, with TLS. call is the limit for one call that is not a stream, or for the helper.
	connect, call time.Duration
	// stall is the limit for a stream to move stallBytes more, or to end.
	stall      time.Duration
	stallBytes int
	// small is the size of the largest blob that is not sent as a stream.
	small int64
	// digests is the number of digests that are asked for at once, lookups that of ActionResults.
	digests, lookups int
}

// usual has short times, because a cache that makes a build wait does not save time.
var usual = limits{
	connect: 5 * time.Second, call: 10 * time.Second, stall: 15 * time.Second, stallBytes: 64 << 10,
	small: 1 << 20, digests: 1000, lookups: 16,
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
}
