package remote

import (
	"context"
	"io"
	"time"
)

// Executor runs commands on other machines. Its methods can be called at the same time.
type Executor interface {
	// Run executes an Action. If the server has the result of an equal Action that did not fail, Run returns that result. A command
	// that ends with a nonzero exit status is not an error. If ctx ends, Run cancels the Action, and the error wraps the cause. Run
	// repeats a lost execution a few times. The error wraps [ErrMissing] if the server loses inputs each time that Run sends them. It
	// wraps [ErrWrong] if the result has unexpected outputs or impossible digests.
	Run(ctx context.Context, a *Action) (*Done, error)
	// Fetch calls read with the content of an output, and checks the content like Get of [Cache].
	Fetch(ctx context.Context, d Digest, read func(content io.Reader) error) error
	// Close ends the connection.
	Close() error
}

// Digest names content by its SHA-256 (64 hexadecimal digits) and its size in bytes.
type Digest struct {
	Hash string `json:"hash"`
	Size int64  `json:"size"`
}

// Action is a command with its inputs. The directory with the inputs is its working directory.
type Action struct {
	// Arguments are the program, as a path relative to the working directory, and its arguments.
	Arguments []string
	// Inputs are the files that the command finds in the working directory.
	Inputs []Input
	// Outputs are the paths of the files that the command can make, relative to the working directory. Files that the command does
	// not make are missing in Done.
	Outputs []string
	// Platform are the properties that a worker must have.
	Platform map[string]string
	// Timeout limits the time of the command. If it is 0, the server sets the limit.
	Timeout time.Duration
	// Again runs the command even if the server has the result of an earlier execution.
	Again bool
	// Output gets the standard output and standard error of the command: while the command runs if the server sends them then,
	// else at its end. Calls of Write do not overlap, and end before Run returns. After the output of a lost execution, Output gets
	// the output of the next execution. A line in parentheses replaces output that the server loses. nil drops the output.
	Output io.Writer
}

// Input is a file in the working directory of a command.
type Input struct {
	// Path is relative to the working directory.
	Path       string
	Executable bool
	Digest     Digest
	// Write writes the content: the same bytes in each call. It is not called if the server has the content.
	Write func(w io.Writer) error
}

// Done is the result of an Action.
type Done struct {
	// Status is the exit status of the command.
	Status int
	// Outputs are the files that the command made, by the paths in Action.Outputs.
	Outputs map[string]Digest
	// Cached is true if this is the result of an earlier execution.
	Cached bool
	// Worker is the name of the machine that ran the command, or "" if the server does not send the name.
	Worker string
}
