package extend

// ContentType is the type of the answer to a request: one [Message] per line, as JSON.
const ContentType = "application/x-ndjson"

// State is the state of a request.
type State string

// The states. Done and Failed are the states of the last message.
const (
	Queued  State = "queued"
	Running State = "running"
	Done    State = "done"
	Failed  State = "failed"
)

// Message is a line of a builder's answer. A builder repeats the last one every few seconds while nothing changes.
type Message struct {
	State State `json:"state"`
	// Ahead is the number of other requests that come first, when Queued.
	Ahead int `json:"ahead,omitempty"`
	// Step is the title of the step that began last, when Running; Ended of Steps have ended.
	Step  string `json:"step,omitempty"`
	Ended int    `json:"ended,omitempty"`
	Steps int    `json:"steps,omitempty"`
	// Document is the path of the image's document, relative to [Dir], when Done.
	Document string   `json:"document,omitempty"`
	Failure  *Failure `json:"failure,omitempty"`
}

// Reason is the kind of a failure, for programs.
type Reason string

// The reasons.
const (
	// BadRequest is a malformed request; UnknownCommit is a request for a commit that the builder does not have.
	BadRequest    Reason = "bad-request"
	UnknownCommit Reason = "unknown-commit"
	// NotAllowed is a package or a dependency that the builder's configuration does not allow.
	NotAllowed Reason = "not-allowed"
	// UnknownPackage is a package that does not exist; Unfit packages cannot be added to the commit.
	UnknownPackage Reason = "unknown-package"
	Unfit          Reason = "unfit"
	// Busy is a full queue: the same request may succeed later. Internal is an error that the request did not cause.
	Busy     Reason = "busy"
	Internal Reason = "internal"
)

// Failure is the reason for a missing image. It is an error.
type Failure struct {
	Reason Reason `json:"reason"`
	// Text is for people: it names packages, versions, and a remedy.
	Text string `json:"text"`
	// Err is the cause, which does not leave this machine; nil if the text is complete.
	Err error `json:"-"`
}

// Error implements error.
func (f *Failure) Error() string { return f.Text }

// Requested reports that the request is at fault, and would fail anywhere.
func (f *Failure) Requested() bool {
	return f.Reason == BadRequest || f.Reason == UnknownCommit || f.Reason == UnknownPackage || f.Reason == NotAllowed
}

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }
