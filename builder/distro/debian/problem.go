package debian

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/sandbox"
)

// problem is a question to an archive in apt's terms.
type problem struct {
	archive *Archive
	index   *Index
	// local are the packages that are not of an archive, and options those of apt that
	// show them, and that forbid packages. Their files are in dir, "" for none.
	local   []distro.Archived
	pins    string
	options []string
	dir     string
}

// pose prepares a question. What is local in the base is local here as well. The
// caller closes the problem.
func (a *Archive) pose(index *Index, base *distro.Closure, wants []distro.Want) (*problem, error) {
	q := &problem{archive: a, index: index, local: slices.Clone(a.held)}
	if base != nil {
		for _, p := range base.Packages {
			if isLocal(p) {
				q.local = append(q.local, p)
			}
		}
	}
	var pins strings.Builder
	for _, w := range wants {
		if w.Local != nil {
			q.local = append(q.local, *w.Local)
		}
		if w.Forbidden {
			name := w.Name
			if !strings.Contains(name, ":") {
				name += ":any" // else only the system's architecture is meant
			}
			// Without a version apt cannot choose the package for anything.
			fmt.Fprintf(&pins, "Package: %s\nPin: version *\nPin-Priority: -1\n\n", name)
		}
	}
	q.pins = pins.String() + a.heldPins()
	if err := q.unlike(); err != nil || len(q.local) == 0 && q.pins == "" {
		return q, err
	}
	return q, q.write()
}

// unlike finds a local package that an archive has in the same version, but not the
// same file: neither apt nor a machine could tell the two apart.
func (q *problem) unlike() error {
	for _, p := range q.local {
		have, err := q.index.Package(p.Name, p.Version, p.Arch)
		if err == nil && have.SHA256 != p.SHA256 {
			return &distro.LocalError{Package: p, Reason: fmt.Sprintf("the archive has %s %s (%s) too, and it is another file: give the local one another version", p.Name, p.Version, p.Arch)}
		}
	}
	return nil
}

// write writes the files that apt reads.
func (q *problem) write() error {
	temp := os.TempDir()
	if !plainPath.MatchString(temp) {
		temp = "/tmp"
	}
	var err error
	if q.dir, err = os.MkdirTemp(temp, "treewright-apt-"); err != nil {
		return fmt.Errorf("prepare apt root: %w", err)
	}
	if len(q.local) > 0 {
		c := distro.Closure{Packages: q.local}
		// The name says what it is.
		file := filepath.Join(q.dir, "Packages")
		if err := os.WriteFile(file, c.Index(), 0o600); err != nil {
			return fmt.Errorf("prepare apt root: %w", err)
		}
		q.options = append(q.options, "--with-source", file)
	}
	if q.pins != "" {
		file := filepath.Join(q.dir, "forbidden")
		if err := os.WriteFile(file, []byte(q.pins), 0o600); err != nil {
			return fmt.Errorf("prepare apt root: %w", err)
		}
		q.options = append(q.options, "-o", "Dir::Etc::Preferences="+file)
	}
	return nil
}

// close removes what was written.
func (q *problem) close() {
	if q.dir != "" {
		_ = os.RemoveAll(q.dir)
	}
}

// solve has apt install packages, as it takes them, on nothing or on what the
// options say, and returns those that it chooses and what it says.
func (q *problem) solve(ctx context.Context, names []string, options ...string) (*distro.Closure, string, error) {
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	// With --simulate apt also carries the installation out in memory, which takes several
	// times as long as finding the packages.
	argv := slices.Concat([]string{"apt-get", "install", "--print-uris", "-q", "-o", "Debug::NoLocking=true"}, q.options, options, []string{"--"}, names)
	out, err := q.archive.apt(ctx, argv...)
	if err != nil {
		return nil, "", unsolved(out, err)
	}
	c := &distro.Closure{}
	if c.Packages, err = q.printed(string(out)); err != nil {
		return nil, "", fmt.Errorf("resolve packages: %w", err)
	}
	c.Packages = q.archive.asHeld(c.Packages)
	sortPackages(c.Packages)
	return c, string(out), nil
}

// printed returns the packages that apt would fetch.
func (q *problem) printed(out string) ([]distro.Archived, error) {
	of := q.ofIndex
	if q.archive.parts != nil {
		files, err := q.archive.chosen()
		if err != nil {
			return nil, err
		}
		of = func(line string) (distro.Archived, error) { return fileOf(files, line) }
	}
	var all []distro.Archived
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "'") {
			continue
		}
		p, ok := q.localFile(line)
		if !ok {
			var err error
			if p, err = of(line); err != nil {
				return nil, err
			}
		}
		all = append(all, p)
	}
	return all, nil
}

// ofIndex is the package of the only source that a line of apt-get --print-uris means.
func (q *problem) ofIndex(line string) (distro.Archived, error) {
	wanted, err := printedPackage(line)
	if err != nil {
		return distro.Archived{}, err
	}
	p, err := q.index.Package(wanted.Name, wanted.Version, wanted.Arch)
	if err != nil {
		return p, fmt.Errorf("apt chose one that is not in the index: %w", err)
	}
	p.Source, p.Suite = q.archive.Source.Name, q.archive.Source.Suite
	return p, nil
}

// localFile is the local package that a line of apt-get --print-uris means.
func (q *problem) localFile(line string) (distro.Archived, bool) {
	uri, found := strings.CutPrefix(line, "'file:"+q.dir+"/")
	if !found {
		return distro.Archived{}, false
	}
	uri, _, _ = strings.Cut(uri, "'")
	name, err := url.PathUnescape(uri)
	i := slices.IndexFunc(q.local, func(p distro.Archived) bool { return p.Filename == name })
	if err != nil || i < 0 {
		return distro.Archived{}, false
	}
	return q.local[i], true
}

// exactly is a package in its version as apt takes it.
func (a *Archive) exactly(p distro.Archived) string {
	if p.Arch != a.Arch && p.Arch != "all" {
		return p.Name + ":" + p.Arch + "=" + p.Version
	}
	return p.Name + "=" + p.Version
}

// names are all that apt is to install: what is in the base, unless a local package
// takes its place, and what is wanted.
func (q *problem) names(base *distro.Closure, wants []distro.Want) []string {
	var names []string
	if base == nil {
		names = append(names, append(q.index.Required(), "apt")...)
	} else {
		for _, p := range base.Packages {
			if !slices.ContainsFunc(wants, func(w distro.Want) bool {
				return w.Local != nil && w.Local.Name == p.Name && sameArch(w.Local.Arch, p.Arch)
			}) {
				names = append(names, q.archive.exactly(p))
			}
		}
	}
	for _, w := range wants {
		switch {
		case w.Forbidden:
		case w.Local != nil:
			names = append(names, q.archive.exactly(*w.Local))
		case q.archive.heldFrom(w) != nil:
			names = append(names, q.archive.exactly(*q.archive.heldFrom(w)))
		default:
			names = append(names, q.archive.argument(w))
		}
	}
	return names
}

// answer finds the packages for a base and wants.
func (q *problem) answer(ctx context.Context, base *distro.Closure, wants []distro.Want) (*distro.Closure, error) {
	if !slices.ContainsFunc(wants, func(w distro.Want) bool { return w.Recommends }) {
		c, _, err := q.solve(ctx, q.names(base, wants))
		return c, err
	}
	more, missed, err := q.recommended(ctx, base, wants)
	if err != nil {
		return nil, err
	}
	names := q.names(base, wants)
	for _, p := range more {
		names = append(names, q.archive.exactly(p))
	}
	c, _, err := q.solve(ctx, names)
	if err == nil {
		c.Missed = missed
	}
	return c, err
}

// printedName is the file's name in a line of apt-get --print-uris, "'URI' NAME_VERSION_ARCH.deb
// SIZE HASH", where colons of the version are written as in URIs.
var printedName = regexp.MustCompile(`^'[^']+' ([a-z0-9][a-z0-9+.-]*)_((?:[A-Za-z0-9.+~-]|%3a)+)_([a-z0-9-]+)\.[a-z0-9]+ `)

// printedPackage is the package that apt would fetch.
func printedPackage(line string) (distro.Package, error) {
	if m := printedName.FindStringSubmatch(line); m != nil {
		return distro.Package{Name: m[1], Version: strings.ReplaceAll(m[2], "%3a", ":"), Arch: m[3]}, nil
	}
	return distro.Package{}, fmt.Errorf("apt is to fetch something that is not understood: %q", line)
}

// forbidden finds a forbidden package in what others are installed above.
func forbidden(base *distro.Closure, wants []distro.Want) error {
	if base == nil {
		return nil
	}
	for _, w := range wants {
		there := func(p distro.Archived) bool { return w.Name == p.Name || w.Name == p.Name+":"+p.Arch }
		if w.Forbidden && slices.ContainsFunc(base.Packages, there) {
			return &distro.ForbiddenError{Want: w}
		}
	}
	return nil
}

// unsolved is the error of an apt that found no solution, or did not run.
func unsolved(out []byte, err error) error {
	var exit *sandbox.ExitError
	if errors.As(err, &exit) {
		reason := strings.TrimSpace(string(out) + "\n" + strings.TrimPrefix(err.Error(), exit.Error()))
		return &distro.UnsolvableError{Program: "apt", Reason: reason}
	}
	return fmt.Errorf("resolve packages: %w", err)
}
