package debian

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/layer"
)

// A union is one apt root for the indices of several sources. Each source is
// updated and verified by itself. What apt chooses from are copies, from which
// packages that may not come from their source are left out, and under the name of
// a host for each source, which no other has: apt can tell sources apart by
// nothing but their hosts and their release files, which may be the same.

// openUnion opens the archives of all sources, and puts their indices together.
func (p Policy) openUnion(ctx context.Context, o distro.ArchiveOptions) (*Archive, error) {
	u := &Archive{
		Source: o.Sources[0], Arch: o.Arch, MoreArchs: o.MoreArchs, Policy: p, client: o.Client, offline: o.Offline,
		results: filepath.Join(o.Cache, "resolved"), parts: make([]*Archive, len(o.Sources)),
	}
	// More at once would be too much for some mirrors.
	slots, errs := make(chan struct{}, 4), make([]error, len(o.Sources))
	var wg sync.WaitGroup
	for i, s := range o.Sources {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			of := o
			of.Sources = []distro.Source{s}
			u.parts[i], errs[i] = p.openArchive(ctx, of)
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	h := sha256.New()
	for _, part := range u.parts {
		s := part.Source
		fmt.Fprintf(h, "%q %q %q %d\n", filepath.Base(part.root), s.Name, s.Packages, s.Priority)
	}
	u.root = filepath.Join(o.Cache, "apt", "sources-"+o.Arch+"-"+hex.EncodeToString(h.Sum(nil)[:4]))
	if err := u.unite(ctx); err != nil {
		return nil, fmt.Errorf("put the package indices of %d sources together: %w", len(u.parts), err)
	}
	return u, nil
}

// unite makes the union's root, unless there is one of the same release files.
func (a *Archive) unite(ctx context.Context) error {
	if err := os.MkdirAll(a.root, 0o755); err != nil {
		return err
	}
	lock := filepath.Join(a.root, "lock")
	unlock, err := layer.LockFile(ctx, lock, func() { a.client.Say("waiting for another build, which reads the same package indices") })
	if err != nil {
		return err
	}
	defer unlock()
	now := time.Now()
	_ = os.Chtimes(lock, now, now)
	var list strings.Builder
	for _, part := range a.parts {
		fmt.Fprintf(&list, "%s %s\n", filepath.Base(part.root), part.release)
	}
	if have := a.use(); string(have) == list.String() {
		return nil
	}
	before := a.dir
	dir, err := a.begin("")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := a.combine(ctx, dir); err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(list.String()))
	final := a.releaseDir(hex.EncodeToString(sum[:]))
	if _, err := os.Stat(final); errors.Is(err, fs.ErrNotExist) {
		if err := errors.Join(layer.Sync(dir), os.Rename(dir, final)); err != nil {
			return err
		}
	}
	if err := layer.WriteFile(a.inRelease(), []byte(list.String()), 0o644); err != nil {
		return err
	}
	if a.use() == nil {
		return fmt.Errorf("the indices in %s are gone", final)
	}
	return a.sweep(before, final)
}

// host is the name of a host in place of a source.
func host(i int) string { return "s" + strconv.Itoa(i) }

// unionList is the union's sources.list.
func unionList(parts []*Archive) string {
	var b strings.Builder
	for i := range parts {
		fmt.Fprintf(&b, "deb [trusted=yes] http://%s/ ./\n", host(i))
	}
	return b.String()
}

// combine writes the sources' indices, and their pins, into a root of apt.
func (a *Archive) combine(ctx context.Context, dir string) error {
	var texts [][]byte
	for _, part := range a.parts {
		text, err := part.text(ctx)
		if err != nil {
			return err
		}
		texts = append(texts, text)
	}
	if err := unmatched(a.sources(), texts); err != nil {
		return err
	}
	kept := admitted(a.sources(), texts)
	var pins strings.Builder
	for i, part := range a.parts {
		signed, err := part.released(part.dir)
		if err != nil {
			return err
		}
		prefix := filepath.Join(dir, "lists", host(i)+"_._")
		if err := errors.Join(os.WriteFile(prefix+"Packages", kept[i], 0o644), os.WriteFile(prefix+"Release", []byte(releaseOf(signed, host(i))), 0o644)); err != nil {
			return err
		}
		if part.Source.Priority != 0 {
			fmt.Fprintf(&pins, "Package: *\nPin: origin %q\nPin-Priority: %d\n\n", host(i), part.Source.Priority)
		}
	}
	return os.WriteFile(filepath.Join(dir, "etc/apt/preferences.d/sources"), []byte(pins.String()), 0o644)
}

// releaseOf is what apt has to know of a release file, with a code name that no
// other source has, by which a package's source can be asked for.
func releaseOf(signed []byte, codename string) string {
	var b strings.Builder
	for _, name := range []string{"Origin", "Label", "Suite", "Version", "NotAutomatic", "ButAutomaticUpgrades"} {
		if value := field(signed, name); value != "" {
			b.WriteString(name + ": " + value + "\n")
		}
	}
	return b.String() + "Codename: " + codename + "\n"
}

// sources are those of the archive.
func (a *Archive) sources() []distro.Source {
	if a.parts == nil {
		return []distro.Source{a.Source}
	}
	var all []distro.Source
	for _, part := range a.parts {
		all = append(all, part.Source)
	}
	return all
}

// argument is a wanted package as the archive's apt takes it.
func (a *Archive) argument(w distro.Want) string {
	if i := a.partOf(w); i >= 0 {
		return w.Name + "/" + host(i)
	}
	w.Suite = "" // there is one only, or the version says it
	return w.String()
}

// partOf is the first source of a union that is meant by NAME/SUITE, and has the
// package; -1 if there is none.
func (a *Archive) partOf(w distro.Want) int {
	if w.Suite == "" {
		return -1
	}
	for i, part := range a.parts {
		if part.Source.Is(w.Suite) && a.has(i, w.Name) {
			return i
		}
	}
	return -1
}

// knows reports whether a package that is asked for by its suite is there.
func (a *Archive) knows(w distro.Want) bool {
	return a.parts == nil && a.Source.Is(w.Suite) || a.partOf(w) >= 0
}

// printedURI is a line of apt-get --print-uris: 'URI' NAME SIZE HASH.
var printedURI = regexp.MustCompile(`^'http://s([0-9]+)/([^']+)' `)

func fileOf(files []map[string]distro.Archived, line string) (distro.Archived, error) {
	var none distro.Archived
	m := printedURI.FindStringSubmatch(line)
	if m == nil {
		return none, fmt.Errorf("apt is to fetch something that is not understood: %q", line)
	}
	name, err := url.PathUnescape(m[2])
	if err != nil {
		return none, err
	}
	if i, err := strconv.Atoi(m[1]); err == nil && i < len(files) {
		if p, ok := files[i][filepath.Clean(name)]; ok {
			return p, nil
		}
	}
	return none, fmt.Errorf("apt chose a file that is not in the index: %q", line)
}

// chosen are the packages that can be chosen, by source and file.
func (a *Archive) chosen() ([]map[string]distro.Archived, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.files != nil {
		return a.files, nil
	}
	var all []map[string]distro.Archived
	for i, part := range a.parts {
		text, err := os.ReadFile(filepath.Join(a.dir, "lists", host(i)+"_._Packages"))
		if err != nil {
			return nil, err
		}
		packages, err := parsePackages(text)
		if err != nil {
			return nil, err
		}
		files := make(map[string]distro.Archived, len(packages))
		for _, p := range packages {
			p.Source, p.Suite = part.Source.Name, part.Source.Suite
			files[filepath.Clean(p.Filename)] = p
		}
		all = append(all, files)
	}
	a.files = all
	return all, nil
}
