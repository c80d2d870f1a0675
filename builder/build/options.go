package build

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/treewright/treewright/builder/cache"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/rules"
	"github.com/treewright/treewright/builder/sign"
	"github.com/treewright/treewright/builder/treefs"
)

// Options are the paths and the settings of a build. All but Tree may be left
// out.
type Options struct {
	// Tree is the configuration tree: the directory with flavours/ and features/.
	Tree string
	// Cache is the directory of layers and downloads, .cache in the tree if it is
	// ""; Output is the directory of artifacts, .build in the tree if it is "".
	Cache, Output string
	// Vars are values of variables of the flavour files, and Env is the environment in which
	// TREEWRIGHT_VAR_NAME may give others.
	Vars, Env map[string]string
	// Secrets are files with secrets by name: [AuthSecret], and the secrets that secret
	// parameters name; TREEWRIGHT_SECRET_NAME in the environment may give others. Their
	// content does not get into keys, logs or results.
	Secrets map[string]string

	// Offline uses the indices of the last build, and does not ask the mirror for
	// newer ones.
	Offline bool
	// Locked refuses to build a flavour without a lock.
	Locked bool
	// Rewind accepts a history that was set back, and forgets its former newest
	// commit.
	Rewind bool
	// Sign is the signer of published artifacts.
	Sign SignOptions
	// Again plans to make the newest commit once more, with its parent, if it was made
	// from the same inputs. Nothing is signed. See [Builder.Rebuild].
	Again bool
	// NoShortcuts runs each step without a result, also if all files that an earlier run of it read
	// are the same.
	NoShortcuts bool
	// AllLayers makes all layers of the system and of extensions, or takes them from the remote cache, also if the
	// published artifacts exist without them.
	AllLayers bool
	// Remote is the cache of results that is shared with other machines.
	Remote RemoteOptions
	// Exec is the server for remote execution.
	Exec ExecOptions
	// Jobs is the number of steps that run at once; 0 means one for each processor. With workers, it is the number of steps that are sent at
	// once; 0 means 16. MemoryMiB is the memory that steps on this machine are expected to use together; 0 means all that is available.
	Jobs, MemoryMiB int
	// Budget is how much the cache may take; see [cache.ParseBudget].
	Budget cache.Budget

	// Copy and Original are the fields of [used.Opener], for a Tree that is in a copy of a revision.
	Copy, Original string

	// Other has the rules for trees without flavours, and for names that are not names of
	// flavours, with the requests for them. Nil means the result of [Other].
	Other rules.Kind
	// Say is called with messages about the tree for the user; it may be nil.
	Say func(line string)
	// Backend has the parts of a machine that a build uses; nil is this machine.
	Backend *Backend
}

// SignOptions name the signer that replaces the flavour's own signer.
type SignOptions struct {
	// Key is gpg's name of the key, or the absolute path of a file with a private key.
	Key string
	// Home is the directory in which gpg has it, absolute; "" for the usual one.
	Home string
	// Passphrase is the absolute path of a file with the key's passphrase.
	Passphrase string
	// Keys are the public keys that machines have, if they are known; nil reads the keys that
	// the flavour names.
	Keys *sign.Keyring
	// None publishes without signatures although the flavour names a signer.
	None bool
	// UnsignedHistory accepts an unsigned history from an archive.
	UnsignedHistory bool
}

// Builder builds the flavours of a configuration tree.
type Builder struct {
	options Options
	backend Backend
	tree    *treefs.FS
	// rules are the tree's own; others also know names in it.
	rules  rules.Rules
	others []rules.Rules
	// secrets are the files of secrets, by name, with their content once it was read.
	secrets map[string]*secretFile
	reading sync.Mutex // of their content
	remote  remoteCache
	workers workers
	// held are the trees in the cache that this builder has opened.
	held layer.Holds
	// scratch is the directory into which trees that are part of the program are unpacked; "" for the cache.
	scratch string
}

// Open returns a builder of a configuration tree. Nothing of the tree is read
// yet.
func Open(o Options) (*Builder, error) {
	var err error
	if o.Tree, err = filepath.Abs(o.Tree); err != nil {
		return nil, err
	}
	if info, err := os.Stat(o.Tree); err != nil || !info.IsDir() {
		return nil, diag.Requestf("%s is not a directory", o.Tree)
	}
	if o.Cache, err = o.directory(o.Cache, ".cache"); err != nil {
		return nil, err
	}
	if o.Output, err = o.directory(o.Output, ".build"); err != nil {
		return nil, err
	}
	if o.Say == nil {
		o.Say = func(string) {}
	}
	b := &Builder{options: o, backend: thisMachine(), tree: treefs.New(o.Tree)}
	if o.Backend != nil {
		b.backend = *o.Backend
	}
	if err := b.takeSecrets(); err != nil {
		return nil, err
	}
	b.choose()
	return b, nil
}

// Into returns another builder of the same tree, with its own output directory.
func (b *Builder) Into(output string) (*Builder, error) {
	o := b.options
	o.Output = output
	return Open(o)
}

// directory returns a directory's absolute path; without dir it is the path of fallback in
// the tree.
func (o Options) directory(dir, fallback string) (string, error) {
	if dir == "" {
		return filepath.Join(o.Tree, fallback), nil
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find the directory %s: %w", dir, err)
	}
	return abs, nil
}

// Root is the directory of the configuration tree, absolute.
func (b *Builder) Root() string { return b.options.Tree }
