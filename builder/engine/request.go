package engine

import (
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/plan"
)

// Request is a step with everything a process needs to carry it out.
type Request struct {
	Step plan.Step `json:"step"`
	// Base and Tools are layers' directories, lowest first.
	Base   []string           `json:"base,omitempty"`
	Tools  []string           `json:"tools,omitempty"`
	Inputs map[string]Mounted `json:"inputs,omitempty"`
	// Data takes the result; Work and Scratch are empty directories on the same
	// file system.
	Data    string `json:"data"`
	Work    string `json:"work"`
	Scratch string `json:"scratch"`
	// Secrets are what is in those of the step, by name. They are in memory only.
	Secrets map[string][]byte `json:"secrets,omitempty"`
	// Log is the file for what people may want to read. The parent process
	// writes it.
	Log string `json:"log"`
	// Looks is the file for what the step looks at in its tree, which the parent process writes;
	// "" if that is not recorded.
	Looks string `json:"looks,omitempty"`
	// Epoch is the newest of the inputs'.
	Epoch int64 `json:"epoch"`
	// An [Executor] that sends the step to another machine uses the fields up to Shell. Key is the key of the result, Draft is the draft
	// with the directories above, and Keys has the keys of the results in Base, Tools and Inputs, by their directories.
	Key   string            `json:"-"`
	Draft *layer.Draft      `json:"-"`
	Keys  map[string]string `json:"-"`
	// Then are the next steps of the same chain; see [plan.Graph.Chains]. They can be carried out together with this step. They do not have
	// a Draft. [Made] replaces the directory of a result of this step (number 0) or of an earlier step in Then.
	Then []*Request `json:"-"`
	// Again asks for a new execution even if another machine has the result of an earlier execution.
	Again bool `json:"-"`
	// Shell asks for a shell in the step's tree in place of its action.
	Shell bool `json:"shell,omitempty"`
}

// Mounted is an input: a directory, or the layers of a tree and the steps that
// left them.
type Mounted struct {
	Dir   string   `json:"dir,omitempty"`
	Stack []string `json:"stack,omitempty"`
	Steps []string `json:"steps,omitempty"`
}

// Reply is what the process reports: progress and events any number of times, then the end.
type Reply struct {
	// Event is one of the kinds [event.Part], [event.Command] and [event.StepUsed].
	Event *event.Event `json:"event,omitempty"`

	Bytes int64 `json:"bytes,omitempty"`
	Total int64 `json:"total,omitempty"`
	// Unit is what these count, if not bytes.
	Unit  string `json:"unit,omitempty"`
	Done  bool   `json:"done,omitempty"`
	Error string `json:"error,omitempty"`
	// Command is the program that failed, as a line for the step's shell.
	Command string `json:"command,omitempty"`
	// Status is the exit status of a person's shell.
	Status int `json:"status,omitempty"`
	// Fault is the fault of the configuration that Error is, if it is one.
	Fault *diag.Found `json:"fault,omitempty"`
	// Paths are files of the tree that Error is about.
	Paths  []string     `json:"paths,omitempty"`
	Result layer.Result `json:"result"`
}

// ExecVerb is the verb under which this program carries out a step that is
// described on file descriptor 3; see [StepExec].
const ExecVerb = "step-exec"

// recordFile is the descriptor for [sandbox.Record] in that process.
const recordFile = 5
