package build

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/engine"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/stage/commit"
)

// Options returns those of the builder, with absolute directories.
func (b *Builder) Options() Options { return b.options }

// Rebuild makes all artifacts of a subject again and publishes them, without a signature, in
// the builder's output. That must be one for this purpose, with the history that
// [Builder.CopyHistory] puts there. The options must have Again set. Nothing is noted for
// later builds. The caller closes what it returns.
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

// Inputs are the parts of a cache that have what builds are made from, except packages:
// package indices, and trees from git.
var Inputs = []string{"apt", "git"}

// Downloads are the SHA-256 of all packages that a plan needs.
func (p *Prepared) Downloads() []string {
	lists := []*distro.Closure{p.Packages.Base, p.Packages.Seed, p.Packages.System}
	lists = slices.AppendSeq(lists, maps.Values(p.Packages.Build))
	lists = slices.AppendSeq(lists, maps.Values(p.Packages.Extensions))
	for _, tools := range p.Packages.Tools {
		lists = append(lists, tools.Packages, tools.Data)
		if tools.From != nil {
			lists = append(lists, tools.From.Base)
		}
	}
	sums := map[string]bool{}
	for _, list := range lists {
		if list == nil {
			continue
		}
		for _, pkg := range list.Packages {
			sums[pkg.SHA256] = true
		}
	}
	return slices.Sorted(maps.Keys(sums))
}

// SizeOf returns how much space the results of a build take in the cache, in bytes.
func SizeOf(m *Made) (total int64) {
	for _, s := range m.Graph.Steps() {
		total += layer.DiskUsage(m.Cache.Store.Data(m.Graph.Key(s.ID)))
	}
	return total
}

// FeatureOf returns the feature that a step belongs to, and the feature's file or directory
// that it handles, such as features/ssh/exec.config; "" if it belongs to none.
func FeatureOf(s *Subject, step string) (feature, place string) {
	phase, name := wordsOf(step)
	f := featureNamed(s, name)
	if f == nil {
		return "", ""
	}
	return f.Name, path.Join(f.Place(), phase)
}

// wordsOf are the last two words of a step's ID: for a step of a feature its phase and the
// feature. They are "" for an ID with fewer than three words.
func wordsOf(step string) (phase, feature string) {
	words := strings.Split(step, "/")
	if len(words) < 3 {
		return "", ""
	}
	return words[len(words)-2], words[len(words)-1]
}

// featureNamed returns a feature of a subject or of its extensions, nil if it has none of that
// name.
func featureNamed(s *Subject, name string) *config.Feature {
	all := s.Spec.AllFeatures()
	if i := slices.IndexFunc(all, func(f *config.Feature) bool { return f.Name == name }); i >= 0 {
		return all[i]
	}
	return nil
}

// BuiltBefore reports whether the cache knows a finished build of a subject. Then it has the
// package indices of that build.
func (b *Builder) BuiltBefore(s *Subject) bool { return exists(b.recordPath(s.Flavour())) }
