package plan

import (
	"encoding/json"
	"strings"
)

// OutputKind describes what a step leaves.
type OutputKind string

const (
	// Layer is the change to a tree: an overlayfs upper directory.
	Layer OutputKind = "layer"
	// Dir is a plain directory of files.
	Dir OutputKind = "dir"
)

// Step is the unit of execution and of caching. It is a value that can be
// written down as JSON and carried out by another process (step-exec). The
// key covers every field up to the line that excludes it, see [Graph.Key].
type Step struct {
	// ID names the step within its graph: "STAGE/WHAT", for instance
	// "rootfs/exec.config/base". Only identifies; not part of the key.
	ID string `json:"id"`
	// Stage is what a user sees: packages, tools, rootfs, commit, image,
	// extension.
	Stage string `json:"stage"`
	// Title is one line for screens.
	Title string `json:"title"`

	// Action names the registered function that carries the step out; Version
	// is that function's own version, raised whenever it would give other
	// bytes for the same input.
	Action  string `json:"action"`
	Version int    `json:"version"`
	// Params is the action's own configuration, as json.Marshal writes it.
	Params json.RawMessage `json:"params,omitempty"`
	// Env is given to the programs the action runs; nothing else is.
	Env map[string]string `json:"env,omitempty"`
	// Base is the ID of the Layer step on whose tree this one works; "" is the
	// empty tree.
	Base string `json:"base,omitempty"`
	// Tools is the ID of the Layer step whose tree holds the programs that
	// stages run; "" if none is needed.
	Tools string `json:"tools,omitempty"`
	// Inputs are other steps' results, by the name under which the action
	// finds them: a Dir as its directory, a Layer as its merged tree, read-only.
	Inputs map[string]string `json:"inputs,omitempty"`
	// Sources are files from outside the graph: feature scripts, package
	// indices, an existing repository.
	Sources []Source `json:"sources,omitempty"`
	// Secrets are lent to the step's programs as files below [SecretsDir]. The result
	// may not hold them, except for the files MayHold: absolute paths in the tree, or in
	// the directory that a Dir step leaves.
	Secrets []Secret   `json:"secrets,omitempty"`
	MayHold []string   `json:"may_hold,omitempty"`
	Output  OutputKind `json:"output"`
	// Network gives the step the host's network; without it there is only a
	// loopback device.
	Network bool `json:"network,omitempty"`
	// Arch is the architecture that the step's programs need, in Debian's
	// spelling.
	Arch string `json:"arch"`
	// Family is the family of distributions by whose ways the action deals with
	// packages.
	Family string `json:"family,omitempty"`
	// Artifacts are files of a Dir output that are handed to the user.
	Artifacts []Artifact `json:"artifacts,omitempty"`

	// The rest is not part of the key: it may change how a step runs, never
	// what it gives.

	// Hints is for what an action must know of this host to run (a mirror to
	// fetch hash-pinned files from, the directory of downloaded packages).
	Hints json.RawMessage `json:"hints,omitempty"`
	// Program is the name and version of the program that the step runs from the machine and not from a tree, such as "mmdebstrap 1.5.6".
	// It is "" if the step does not run such a program. A worker with another version does not carry the step out.
	Program string `json:"program,omitempty"`
	// Recorded lets the engine record what the step looks at in its tree, and use its result
	// for another tree in which all of that is the same. Without a tree, its result is
	// used again for inputs with the same content.
	Recorded bool `json:"recorded,omitempty"`
	// Small is true for a step that only copies, writes or removes a few files of its tree. Such a step takes 0.04 to 0.09 s (in the traces
	// of make bench), less than an Action, which takes 0.3 s. The action declares its steps small. Small is not measured, so that the plan
	// is the same on each machine. Scripts are not small, because a script can do anything. See [Graph.Chains].
	Small bool `json:"small,omitempty"`
	// MemoryMiB is the most memory the step is expected to use, 0 for the
	// usual 512.
	MemoryMiB int `json:"memory_mib,omitempty"`
	// Private is true if the step has a secret, or requires the result of a private step. Such a result can hold the secret
	// ([Step.MayHold]), or data that a script made from the secret. So the result does not leave this machine. [Graph.Add] sets Private.
	Private bool `json:"-"`
}

// Travels reports whether the step can be carried out on another machine. These steps stay on this machine: private steps, steps that use
// the network, and commits that follow a history, because the history is in a repository of this machine.
func (s *Step) Travels() bool {
	for _, source := range s.Sources {
		if !strings.HasPrefix(source.Digest, "sha256:") {
			return false
		}
	}
	return !s.Private && !s.Network
}

// LogName is the name of a step's log file.
func LogName(id string) string { return strings.ReplaceAll(id, "/", "-") + ".log" }

// Source is content that comes from outside the graph.
type Source struct {
	// Name is how the action asks for it; also the path below /builder for
	// scripts ("features/base").
	Name string `json:"name"`
	// Digest identifies the content: "sha256:..." over a directory's names,
	// modes and contents, or "ostree:..." for a repository whose newest
	// commit that is.
	Digest string `json:"digest"`
	// Path is where the content is on this host, absolute; not part of the key.
	Path string `json:"path,omitempty"`
}

// SecretsDir is where programs find the secrets of a step, each in a file of its name.
const SecretsDir = "/run/treewright/secrets"

// Secret is content that only the programs of a step get.
type Secret struct {
	Name string `json:"name"`
	// Version changes with the content. It is made with a key that only the cache has, so
	// that nobody can test guesses of the content with it; so it also differs between
	// caches.
	Version string `json:"version"`
}

// ArtifactKind describes how an artifact is published.
type ArtifactKind string

const (
	// FileArtifact is a single file, hard-linked into the output directory.
	FileArtifact ArtifactKind = "file"
	// DirArtifact is a directory, hard-linked file by file and exchanged by rename.
	DirArtifact ArtifactKind = "directory"
	// RepositoryArtifact is an OSTree archive repository: what is published
	// only ever gains objects and commits.
	RepositoryArtifact ArtifactKind = "repository"
	// DeltasArtifact is a directory with static deltas, which are published as a part of the
	// repository with the same name, and are not an artifact for users.
	DeltasArtifact ArtifactKind = "deltas"
	// PoolArtifact is a directory with the packages that machines may add to the commit later. They are published beside
	// the repository, and are not an artifact for users.
	PoolArtifact ArtifactKind = "pool"
)

// Artifact is a file or directory that a build hands to the user.
type Artifact struct {
	// Name is its name in the output directory, Path where it is in the step's
	// output (relative).
	Name string       `json:"name"`
	Path string       `json:"path"`
	Kind ArtifactKind `json:"kind"`
	// Description is half a line for the last screen.
	Description string `json:"description"`
}
