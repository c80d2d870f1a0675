// Package event says what happens during a build, as values, and turns them
// into what a person or a program reads.
//
// The one idea: code that works emits values and does not know of screens;
// code that shows them is a Sink and does not know of the work.
package event

import "time"

// Kind describes what happened.
type Kind string

// The kinds of events, with the fields that each fills in.
const (
	BuildStarted  Kind = "build-started"  // Flavour, Total (steps to run), Cached (steps reused), Expected
	StepStarted   Kind = "step-started"   // Step, Stage, Title, Key, Feature, Expected, Left
	StepOutput    Kind = "step-output"    // Step, Line: one line of the step's log
	StepProgress  Kind = "step-progress"  // Step, Done and Total: how much is done, of how much; Unit
	StepFinished  Kind = "step-finished"  // Step, Key, Duration, AsBefore
	StepFailed    Kind = "step-failed"    // Step, Key, Duration, Error, Log
	StepWarning   Kind = "step-warning"   // Step, Stage, Title, Key, Line: what a step that ended, or is reused, warns of
	StepCached    Kind = "step-cached"    // Step, Stage, Title, Key, Feature
	StepPulled    Kind = "step-pulled"    // Step, Stage, Title, Key, Duration, Total: its result came from another machine, size in bytes
	StepUsed      Kind = "step-used"      // Step, Usage: what the process of a step that ended, and its commands, used
	Waiting       Kind = "waiting"        // Line: what for
	Note          Kind = "note"           // Line: something the user should know
	Warning       Kind = "warning"        // Line
	PhaseStarted  Kind = "phase-started"  // Title: work before the steps ("resolving packages")
	PhaseFinished Kind = "phase-finished" // Title, Duration
	Part          Kind = "part"           // Title, Duration: a part of a step's work, or of the build's own without Step
	Command       Kind = "command"        // Argv, Duration, Status, Error, Usage: a program that ended; Step if it is one's
	Made          Kind = "artifact"       // Line: path, Total: size in bytes, Key: SHA-256, Title: description
	BuildFinished Kind = "build-finished" // Flavour, Duration
	BuildFailed   Kind = "build-failed"   // Flavour, Duration, Error
)

// Event is one thing that happened. Fields that its kind does not name are
// zero.
type Event struct {
	Time     time.Time     `json:"time"`
	Kind     Kind          `json:"kind"`
	Flavour  string        `json:"flavour,omitempty"`
	Step     string        `json:"step,omitempty"`
	Stage    string        `json:"stage,omitempty"`
	Title    string        `json:"title,omitempty"`
	Key      string        `json:"key,omitempty"`
	Feature  string        `json:"feature,omitempty"` // that a step is of
	Line     string        `json:"line,omitempty"`
	Error    string        `json:"error,omitempty"`
	Log      string        `json:"log,omitempty"` // path of the step's log file
	Duration time.Duration `json:"duration_ns,omitempty"`
	Done     int64         `json:"done,omitempty"`
	Total    int64         `json:"total,omitempty"`
	Cached   int64         `json:"cached,omitempty"`
	// Expected is how long the build or the step will take, and Left how long the step
	// and the rest of the build will take from its start, as the last build tells;
	// 0 if it does not.
	Expected time.Duration `json:"expected_ns,omitempty"`
	Left     time.Duration `json:"left_ns,omitempty"`
	// AsBefore means that a step did not run: it has the result of an earlier run for another
	// tree, as nothing that it looked at has changed.
	AsBefore bool `json:"as_before,omitempty"`
	// Unit is what Done and Total count; "" means bytes.
	Unit string `json:"unit,omitempty"`
	// Argv is a command, and Status its exit status as a shell has it.
	Argv   []string `json:"argv,omitempty"`
	Status int      `json:"status,omitempty"`
	Usage  *Usage   `json:"usage,omitempty"`
}

// Sink receives events. Emit may be called from several goroutines at once and
// must not block for long.
type Sink interface {
	Emit(Event)
	// Close shows what is still to be shown and gives the terminal back.
	Close() error
}

// Discard is a Sink that shows nothing.
var Discard Sink = discard{}

type discard struct{}

func (discard) Emit(Event)   {}
func (discard) Close() error { return nil }
