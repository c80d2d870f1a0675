package build

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/treewright/treewright/builder/cache"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/publish"
	"github.com/treewright/treewright/builder/stage/commit"
	"github.com/treewright/treewright/builder/treefs"
)

// Layers are those of a subject's system and extensions, by its newest plan. Nothing is
// planned, and no package archive asked, if there was a plan before.
type Layers struct {
	builder *Builder
	subject *Subject
	distro  distro.Distro
	cache   *cache.Cache
	// steps are those of the plan, the lowest first, and manifest is that of the last
	// finished build; nil if there was none.
	steps    []known
	manifest *publish.Manifest
}

// Layers opens the layers of a subject. The caller closes them.
func (b *Builder) Layers(ctx context.Context, s *Subject, sink event.Sink) (*Layers, error) {
	l := &Layers{builder: b, subject: s, steps: b.knownSteps(s.Flavour())}
	var err error
	if l.distro, err = b.distro(s); err != nil {
		return nil, err
	}
	// An earlier version kept less.
	if len(l.steps) == 0 || l.steps[0].Title == "" {
		p, err := b.Prepare(ctx, s, sink)
		if err != nil {
			return nil, err
		}
		l.steps, l.cache = p.steps(), p.Cache
	} else if l.cache, err = cache.Open(b.options.Cache); err != nil {
		return nil, err
	}
	l.manifest, err = publish.ReadManifest(b.Output(s))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// layersOf are the layers of a plan.
func (b *Builder) layersOf(p *Prepared) *Layers {
	return &Layers{builder: b, subject: p.Subject, distro: p.distro, cache: p.Cache, steps: p.steps()}
}

// Close lets go of the layers.
func (l *Layers) Close() { l.cache.Store.Close() }

// each calls do with the steps whose layers are in the cache, the lowest first, and the
// layers' directories. It returns how many are not there.
func (l *Layers) each(do func(s *known, dir string)) (missing int, err error) {
	for i := range l.steps {
		s := &l.steps[i]
		if !s.Tree {
			continue
		}
		_, ok, err := l.cache.Store.Get(s.Key)
		if err != nil {
			return missing, err
		}
		if !ok {
			missing++
			continue
		}
		do(s, l.cache.Store.Data(s.Key))
	}
	return missing, nil
}

// owners are the names of the system's users and groups, as its highest layer with
// accounts has them; none without such a layer.
func (l *Layers) owners() treefs.Owners {
	var dirs []string
	_, err := l.each(func(s *known, dir string) {
		if s.System || s.ID == commit.AccountsStep {
			dirs = append(dirs, dir)
		}
	})
	for _, dir := range slices.Backward(dirs) {
		info, serr := os.Lstat(filepath.Join(dir, "etc/passwd"))
		if err != nil || serr != nil || !info.Mode().IsRegular() {
			continue
		}
		if names, err := treefs.ReadOwners(dir); err == nil {
			return names
		}
	}
	return treefs.Owners{}
}

// NotBuilt is the error that a subject was not built yet.
func NotBuilt(name string) error {
	return diag.Suggest(errors.New(name+" was not built yet"), name, "builds it")
}
