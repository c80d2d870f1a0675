package build

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/treewright/treewright/builder/cache"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/plan"
)

// keepBudget frees space in the cache after a build, and says what it removed.
// What the build made and published is there whether that works or not.
func (b *Builder) keepBudget(p *Prepared, r reporter) {
	keys := map[string]string{}
	keep, tree := map[string]cache.Keep{}, filepath.Base(b.recordPath(p.Subject.Flavour()))
	for _, s := range p.Graph.Steps() {
		keys[s.ID] = p.Graph.Key(s.ID)
		switch n := kept(s); {
		case copied(s):
			keep[s.ID] = cache.Keep{Of: p.Subject.Flavour(), Newest: n}
		case n > 0:
			keep[s.ID] = cache.Keep{Of: tree, Newest: n}
		}
	}
	disk, err := cache.DiskOf(b.options.Cache)
	if err != nil {
		r.warn(err.Error())
		return
	}
	limit := b.options.Budget.Of(disk.Size)
	freed, left, err := p.Cache.Settle(p.Subject.Flavour(), keys, keep, limit)
	if err != nil {
		r.say(event.Warning, fmt.Sprintf("the cache could not be brought down to its budget: %v", err))
	}
	if freed.Items > 0 {
		r.say(event.Note, fmt.Sprintf("removed from the cache to keep its budget of %s: %s (those not used for the longest time), %s",
			event.FormatBytes(limit), diag.Counted(freed.Items, "part"), event.FormatBytes(freed.Bytes)))
	}
	if err == nil && limit >= 0 && left > limit {
		r.say(event.Note, fmt.Sprintf("the cache takes %s, more than its budget of %s: all that is left in it belongs to this build or is in use (--cache-budget sets another budget)",
			event.FormatBytes(left), event.FormatBytes(limit)))
	}
}

// demand is the least space that a build takes, in bytes.
type demand struct {
	cache  int64 // below the cache
	output int64 // of copies of artifacts
}

// checkRoom stops a build that certainly does not fit, before any step runs, and
// after as much space was freed in the cache as can be.
func (b *Builder) checkRoom(p *Prepared, missing []string, r reporter) error {
	if len(missing) == 0 {
		return nil
	}
	kept, err := cache.DiskOf(b.options.Cache)
	if err != nil {
		return err
	}
	public, err := cache.DiskOf(p.Output.Public)
	if err != nil {
		return err
	}
	need := p.demand(missing)
	if kept.Device == public.Device {
		if kept.Shares {
			need.output = 0
		}
		need.cache, need.output = need.cache+need.output, 0
	}
	if need.cache > kept.Free {
		if kept, err = b.makeRoom(p, need.cache, r); err != nil {
			return err
		}
	}
	var faults []string
	short := func(what, dir, hint string, need, free int64) {
		if need > free {
			faults = append(faults, fmt.Sprintf("%s needs at least %s more, but the disk with %s has only %s left: at least %s are missing; %s",
				what, event.FormatBytes(need), dir, event.FormatBytes(free), event.FormatBytes(need-free), hint))
		}
	}
	short("the build", "the cache "+b.options.Cache, "free space there, or put the cache on another disk with --cache DIR", need.cache, kept.Free)
	short("the output", "the output directory "+p.Output.Public, "free space there, or put the output on another disk with --output DIR", need.output, public.Free)
	if len(faults) > 0 {
		return diag.Hostf("not enough space, so no step was run: %s", strings.Join(faults, "; and "))
	}
	return nil
}

// makeRoom removes from the cache what was unused the longest until so many
// bytes are free on its disk, or nothing more can go.
func (b *Builder) makeRoom(p *Prepared, need int64, r reporter) (cache.Disk, error) {
	free := func() int64 {
		d, err := cache.DiskOf(b.options.Cache)
		if err != nil {
			return 0
		}
		return d.Free
	}
	freed, _, err := p.Cache.Shrink(func(int64) bool { return free() >= need })
	if err != nil {
		return cache.Disk{}, err
	}
	if freed.Items > 0 {
		r.say(event.Note, fmt.Sprintf("removed from the cache because the disk has too little space: %s (those not used for the longest time), %s", diag.Counted(freed.Items, "part"), event.FormatBytes(freed.Bytes)))
	}
	return cache.DiskOf(b.options.Cache)
}

// demand is a lower bound, as a build must not be refused that would have fitted.
// A download takes its size; packages three quarters of what they say that they
// take installed (some say more than is true), or what they took before; any
// other step half of what it took in the last build of the flavour. If there was
// none, a commit, its tarball and an image are expected to take a quarter of the
// system's packages each, which is half of what they take of common systems, and
// all else nothing.
func (p *Prepared) demand(missing []string) demand {
	var d demand
	last := p.Cache.LastSizes(p.Subject.Flavour())
	system := int64(0)
	for _, id := range missing {
		s := p.Graph.Step(id)
		bytes, known := last[id]
		download, installed := p.packagesOf(s)
		if s.Stage == "rootfs" {
			system += installed
		}
		switch {
		case s.Action == "fetch":
			bytes = download // links to what was downloaded take nothing
		case s.Action == "bootstrap", s.Action == "install":
			if most := installed / 4 * 3; !known || bytes > most {
				bytes = most
			}
		case known:
			bytes /= 2
		case s.Action == "ostree-commit", s.Action == "archive", s.Action == "disk":
			bytes = system / 4
		}
		d.cache += bytes
		if copied(s) {
			d.output += bytes
		}
	}
	return d
}

// kept returns how many results of a step the cache keeps, even if it has space for more; 0 for all. Two of
// disk images and tarballs, the largest results: a change can be tried and undone, and two trees can have a
// flavour of the same name. Four, for each tree, of the others that are made again after most changes within
// seconds: so the cache does not grow with each commit. All of those for which packages are downloaded and
// installed.
func kept(s *plan.Step) int {
	switch {
	case copied(s):
		return 2
	case s.Recorded: // most are the same as the one before
	case s.Stage == "packages", s.Stage == "tools", s.Action == "bootstrap", s.Action == "install":
		return 0
	}
	return 4
}

// copied reports whether a step's result is copied into the output.
func copied(s *plan.Step) bool {
	for _, a := range s.Artifacts {
		if a.Kind == plan.FileArtifact {
			return true
		}
	}
	return false
}

// packagesOf returns what has to be downloaded of the packages that a step
// fetches, and what those that it installs say that they take.
func (p *Prepared) packagesOf(s *plan.Step) (download, installed int64) {
	if repo := s.Inputs["repo"]; repo != "" && s.Action != "fetch" {
		_, installed = p.packagesOf(p.Graph.Step(repo))
		return 0, installed
	}
	for _, src := range s.Sources {
		if s.Action != "fetch" || src.Name != "index" {
			continue
		}
		// The step itself says what is wrong with an index that cannot be read.
		if index, err := os.ReadFile(filepath.Join(src.Path, "Packages")); err == nil {
			download, installed = p.distro.Demand(index, p.Cache.HasDownload)
		}
	}
	return download, installed
}
