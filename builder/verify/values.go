package verify

import (
	"os"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/sign"
)

// Options are what is verified, and how.
type Options struct {
	// Builder builds, with the user's cache; nothing is published in its output.
	Builder *build.Builder
	Subject *build.Subject
	Sink    event.Sink
	// Progress and Verbose are how the second build is shown, on Errors.
	Progress string
	Verbose  bool
	Errors   *os.File
	// Download downloads all packages again. Otherwise both builds have the same files, whose
	// SHA-256 each of them checks.
	Download bool
	// Keep keeps both outputs.
	Keep bool
	// Against is compared with the first build; nil for nothing.
	Against *Published
}

// Change is one thing that differs between the surroundings of both builds.
type Change struct {
	What  string `json:"what"`
	First string `json:"first"`
	// Second is "" for what could not be changed; Reason is why.
	Second string `json:"second,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// ExecVerb is the verb by which this program carries out a request of [Run] in other surroundings.
const ExecVerb = "verify-exec"

// request asks for the second build, or for a step of the first one once more.
type request struct {
	// Tree is the configuration tree, which is copied to Moved without Skip; From is the
	// cache of the first build, and Cache that of the second one, in so many bytes of Memory
	// if that is not 0.
	Tree, Moved, From, Cache string
	Skip                     []string
	Memory                   int64
	// Output is where the second build publishes, FirstRoot where the first one did, with its
	// artifacts in First.
	Output, FirstRoot, First string
	Vars, Secrets            map[string]string
	// Keys are the public keys that machines have; nil for none. Elsewhere, gpg does not find
	// a key that the flavour names.
	Keys *sign.Keyring
	// Clock is the library by which steps see another time; "" if they see the machine's.
	Clock           string
	Jobs, MemoryMiB int
	Flavour, Host   string
	Progress        string
	Verbose         bool
	// Packages are the SHA-256 of packages that are taken from the first build's cache.
	Packages []string
	// Repeat is a step of the first build, which alone is carried out, with the first build's
	// cache.
	Repeat string
}

// reply is what the second build found.
type reply struct {
	Artifacts []Artifact
	Replanned []string
	Origins   []Origin
	Layers    int
	// Index is the digest of the result of a repeated step.
	Index string
	Error string
}

// Artifact is one of the artifacts, in both outputs.
type Artifact struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
	Same bool   `json:"same"`
	// Step is the one that makes it; "" for what is made when the build is published.
	Step string `json:"step,omitempty"`
	// Files are those that differ: of a directory or repository those in it.
	Files []FileDifference `json:"files,omitempty"`
	// More is how many others differ that are not listed.
	More int `json:"more,omitempty"`
}

// FileDifference is a file of an artifact that differs.
type FileDifference struct {
	Path  string `json:"path"`
	How   string `json:"how"`
	Bytes *Bytes `json:"bytes,omitempty"`
}

// mostFiles is how many files are listed of one artifact, or of one step.
const mostFiles = 20

// Origin is a step that left something else, though all that it was given was the same.
type Origin struct {
	Step  string `json:"step"`
	Title string `json:"title"`
	// Feature is the one whose step it is, and From its file; "" for a step of none.
	Feature string       `json:"feature,omitempty"`
	From    string       `json:"from,omitempty"`
	Files   []FileOfStep `json:"files"`
	More    int          `json:"more,omitempty"`
	Cause   Cause        `json:"cause"`
	// First and Second are digests of what the builds made, and Again of what the step
	// made when it was repeated where the second build was; "" if it was not.
	First  string `json:"first"`
	Second string `json:"second"`
	Again  string `json:"again,omitempty"`
}

// FileOfStep is a file that differs in the results of a step.
type FileOfStep struct {
	layer.Difference
	Bytes *Bytes `json:"bytes,omitempty"`
	// Diffoscope is what diffoscope(1) shows of it, where it is installed.
	Diffoscope string `json:"diffoscope,omitempty"`
}

// Cause is what makes a step leave something else.
type Cause string

// The causes that are found by carrying out the step alone.
const (
	EachRun     Cause = "each run" // nothing has to be changed: a clock, random numbers, an order of threads
	Processors  Cause = "processors"
	FileSystem  Cause = "order of directory entries"
	Time        Cause = "time"
	Elsewhere   Cause = "user, locale, umask or host name"
	Together    Cause = "several changes together"
	NotRepeated Cause = "not tried"
)
