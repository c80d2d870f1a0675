package oci

import "time"

// limits are the longest waits for the parts of a request.
type limits struct {
	// answer is the limit up to the header of an answer. It includes the connection, the log-in and redirections.
	answer time.Duration
	// stall is the limit for more bytes of a transfer, in either direction.
	stall time.Duration
	// stored is the limit for the answer to an upload, while the registry moves the blob to its place.
	stored time.Duration
	// pause is the pause before the second try of a request.
	pause time.Duration
}

var usual = limits{answer: 10 * time.Second, stall: 15 * time.Second, stored: 60 * time.Second, pause: 300 * time.Millisecond}

// mostAtOnce is the number of tags that are asked for at the same time.
const mostAtOnce = 16
