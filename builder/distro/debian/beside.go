package debian

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/download"
)

// looking is for how long it may be looked where a missing package is. It is a hint
// only: what cannot be read is not told.
const looking = 15 * time.Second

// besides describes which of some packages are in what their sources have, but are not
// asked for.
func (a *Archive) besides(ctx context.Context, missing []distro.Want) map[string]distro.Source {
	ctx, cancel := context.WithTimeout(ctx, looking)
	defer cancel()
	a.look.Do(func() { a.beside = a.lookBeside(ctx) })
	found := map[string]distro.Source{}
	for _, w := range missing {
		name, _, _ := strings.Cut(w.Name, ":")
		for _, other := range a.beside {
			if index, err := other.parsed(ctx); err == nil && len(index.byName[name]) > 0 {
				found[name] = other.Source
				break
			}
		}
	}
	return found
}

// lookBeside opens what can be opened in time, the nearest first.
func (a *Archive) lookBeside(ctx context.Context) []*Archive {
	parts := a.parts
	if parts == nil {
		parts = []*Archive{a}
	}
	var others []distro.Source
	suites := map[string]bool{}
	for _, part := range parts {
		suites[part.Source.String()] = true
		data, err := os.ReadFile(part.inRelease())
		if err != nil {
			continue
		}
		r, _ := readRelease(data)
		for _, component := range r.Components {
			if part.Source.Flat() || slices.Contains(part.Source.Components, component) || strings.Contains(component, "/") {
				continue
			}
			other := part.Source
			other.Components, other.Packages = []string{component}, nil
			others = append(others, other)
		}
	}
	for _, part := range parts {
		other := part.Source
		other.Suite, other.Packages = other.Suite+"-backports", nil
		if part.Source.Name == distro.MainSource && !part.Source.Flat() && !suites[other.String()] {
			others = append(others, other)
		}
	}
	opened := make([]*Archive, len(others))
	var wg sync.WaitGroup
	for i, other := range others {
		wg.Go(func() { opened[i] = a.peek(ctx, other) })
	}
	wg.Wait()
	return slices.DeleteFunc(opened, func(o *Archive) bool { return o == nil })
}

// peek opens an archive, if it answers at once.
func (a *Archive) peek(ctx context.Context, s distro.Source) *Archive {
	client := a.Policy.Client(download.Once, func(string) {})
	if s.CA != "" && trust(client, s.CA, s.URL) != nil {
		return nil
	}
	if !a.offline {
		j := judge{client: client}
		if _, err := j.get(ctx, releaseURL(s, "InRelease")); err != nil {
			return nil
		}
	}
	other, err := a.Policy.openArchive(ctx, distro.ArchiveOptions{
		Sources: []distro.Source{s}, Arch: a.Arch, MoreArchs: a.MoreArchs, Cache: filepath.Dir(a.results), Client: client, Offline: a.offline,
	})
	if err != nil {
		return nil
	}
	return other
}
