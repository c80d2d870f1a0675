package build

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/treewright/treewright/builder/engine"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/stage/commit"
)

// Options returns those of the builder, with absolute directories.
func (b *Builder) Options() Options { return b.options }

// Rebuild makes all artifacts of a subject once more, and publishes them, with no
// signature, in the builder's output, which must have been made for that: with what
// [Builder.CopyHistory] puts there. The options must have Again set. Nothing is noted for later builds. The caller
// closes what it returns.
func (b *Builder) Rebuild(ctx context.Context, s *Subject, sink event.Sink) (*Made, error) {
	r := reporter{heard(sink)}
	p, err := b.Prepare(ctx, s, r.Sink)
	if err != nil {
		return nil, err
	}
	made, err := b.runAndPublish(ctx, p, r)
	if err != nil {
		p.Close()
		return nil, err
	}
	return made, nil
}

// Repeat carries out one step of a plan again, whose inputs must be in the cache, and
// returns the digest of what it made; see [engine.Engine.Repeat].
func (b *Builder) Repeat(ctx context.Context, p *Prepared, id string, sink event.Sink) (string, error) {
	sink = heard(sink)
	e := &engine.Engine{Store: p.Cache.Store, Sink: sink, Executor: b.backend.Executor(sink), Secrets: p.secrets}
	return e.Repeat(ctx, p.Graph, id)
}

// CopyHistory copies the history of a subject, if there is one, into another output, while
// no build changes it.
func (b *Builder) CopyHistory(ctx context.Context, s *Subject, root string, sink event.Sink) error {
	names, ok := commit.Names(s.Spec)
	from, to := b.Output(s).Public, s.Output(root).Public
	if err := os.MkdirAll(to, 0o755); err != nil || !ok {
		return err
	}
	if _, err := os.Lstat(from); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	unlock, err := Claim(ctx, b.Output(s), s.Flavour(), reporter{heard(sink)}.say)
	if err != nil {
		return err
	}
	defer unlock()
	if err = layer.CopyTree(filepath.Join(from, names.Repo), filepath.Join(to, names.Repo)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err = layer.Copy(filepath.Join(from, names.Archive), filepath.Join(to, names.Archive)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Inputs are the parts of a cache that have what builds are made from and are checked
// against, but for packages: package indices, and trees from git.
var Inputs = []string{"apt", "git"}

// Packages is where a cache has downloaded packages, whose names are their SHA-256.
const Packages = "packages"

// SizeOf is how much space the results of a build take in the cache, in bytes.
func SizeOf(m *Made) (total int64) {
	for _, s := range m.Graph.Steps() {
		total += layer.DiskUsage(m.Cache.Store.Data(m.Graph.Key(s.ID)))
	}
	return total
}

// FeatureOf returns the feature whose step it is, and the feature's file or directory that
// the step is of; "" for a step of none.
func FeatureOf(s *Subject, step string) (feature, place string) {
	words := strings.Split(step, "/")
	if len(words) < 3 {
		return "", ""
	}
	for _, f := range s.Spec.AllFeatures() {
		if f.Name == words[len(words)-1] {
			return f.Name, path.Join(f.Place(), words[len(words)-2])
		}
	}
	return "", ""
}

// BuiltBefore reports whether the cache knows a finished build of a subject, whose package
// indices it has then.
func (b *Builder) BuiltBefore(s *Subject) bool { return exists(b.recordPath(s.Flavour())) }
