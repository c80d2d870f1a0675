package remote

import (
	"context"
	"io"
	"time"
)

// Executor has commands run on other machines. Its methods can be called at the same time.
type Executor interface {
	// Run has an Action carried out, or returns the result of an equal one that was carried out before and did not fail. A command that
	// ends with another status than 0 is not an error. If ctx ends, the Action is cancelled, and the error wraps the cause. An
	// execution that was lost is repeated, a few times. The error wraps [ErrMissing] if the server lost inputs
	// after they were sent, each time, and [ErrWrong] if the result has other outputs than those that were asked for.
	Run(ctx context.Context, a *Action) (*Done, error)
	// Fetch calls read with the content of an output, as Get of [Cache] does.
	Fetch(ctx context.Context, d Digest, read func(content io.Reader) error) error
	// Close ends the connection.
	Close() error
}

// Digest names content by its SHA-256 (64 hexadecimal digits) and its size in bytes.
type Digest struct {
	Hash string `json:"hash"`
	Size int64  `json:"size"`
}

// Action is a command with all that it needs.
type Action struct {
	// Arguments are the command line. The program's path is relative to the directory with the inputs, which is the
	// working directory.
	Arguments []string
	Inputs    []Input
	// Outputs are the paths of files that the command makes, relative to the working directory. Those that it does not make
	// are missing in Done.
	Outputs []string
	// Platform are the properties that a worker must have.
	Platform map[string]string
	// Timeout is the most time that the command can take; 0 leaves it to the server.
	Timeout time.Duration
	// Again has the command run even if the server knows the result of an earlier execution.
	Again bool
	// Output gets what the command writes to its standard output and error: while it runs, if the server sends that,
	// else at its end. It is not written to at the same time, nor after Run has returned. If an execution was lost, its output
	// is followed by that of the next one. If the server loses output, a line in parentheses replaces it. nil for none.
	Output io.Writer
}

// Input is a file that a command finds.
type Input struct {
	// Path is relative to the working directory.
	Path       string
	Executable bool
	Digest     Digest
	// Write writes the content, with the same bytes each time that it is called. It is not called if the
	// server has the content.
	Write func(w io.Writer) error
}

// Done is what an Action that was carried out leaves.
type Done struct {
	Status int
	// Outputs are the files that the command made, by the paths in Action.Outputs.
	Outputs map[string]Digest
	// Cached is true if this is the result of an earlier execution.
	Cached bool
	// Worker is the name of the machine that carried the Action out, "" if the server does not give it.
	Worker string
}
