package engine

import (
	"fmt"

	"github.com/treewright/treewright/builder/diag"
)

// Failure is what is known of a step that failed.
type Failure struct {
	// Command is the program that failed, if one did, as a line for the step's
	// shell.
	Command string
	// Fault is the fault of the configuration that Err is, if it is one.
	Fault *diag.Found
	// Paths are files of the tree that Err is about, see [diag.OfPaths].
	Paths []string
	// Warnings are what the step warned of before it failed.
	Warnings []string
	Err      error
}

func (f *Failure) Error() string { return f.Err.Error() }

func (f *Failure) Unwrap() error { return f.Err }

// StepError is a step that failed.
type StepError struct {
	Step string
	// Log is the path of the step's log, which outlives the failed attempt.
	Log string
	// Shell reports that a shell can be opened in what the step worked on; Command
	// is the program that failed, if one did, as a line for that shell.
	Shell   bool
	Command string
	// Fault has the faults of the configuration that the step found, if it failed because
	// of them. [Engine.Run] leaves its Files empty.
	Fault *diag.Faults
	// Paths are files of the tree that Err is about, see [diag.OfPaths].
	Paths []string
	// Warnings are what the step warned of before it failed.
	Warnings []string
	Err      error
}

func (e *StepError) Error() string { return fmt.Sprintf("step %s: %v", e.Step, e.Err) }

func (e *StepError) Unwrap() error { return e.Err }
