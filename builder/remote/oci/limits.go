package oci

import "time"

// limits are for how long is waited for what.
type limits struct {
	// answer is for everything up to the header of an answer: connecting, logging in, redirections.
	answer time.Duration
	// stall is for some more bytes of a transfer, in either direction.
	stall time.Duration
	// stored is for the answer to an upload: the registry moves what it has got to its place.
	stored time.Duration
	// pause is that before the second try of a request.
	pause time.Duration
}

var usual = limits{answer: 10 * time.Second, stall: 15 * time.Second, stored: 60 * time.Second, pause: 300 * time.Millisecond}

// mostAtOnce is how many tags are asked for at the same time.
const mostAtOnce = 16
