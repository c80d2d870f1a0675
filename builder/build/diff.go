package build

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/treewright/treewright/builder/cache"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/difference"
	"github.com/treewright/treewright/builder/distro"
	"github.com/treewright/treewright/builder/download"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/publish"
	"github.com/treewright/treewright/builder/report"
	"github.com/treewright/treewright/builder/stage/commit"
)

// DiffOptions name what is compared.
type DiffOptions struct {
	// Before and After are each a flavour, which is its last published build; the path of an
	// output directory, of its manifest, of a lock file or of a repository; a URL of a
	// repository; a ref or a commit, which may be abbreviated, of one of the published
	// repositories. REF^ is the parent of a commit. REPOSITORY#REF is a ref or commit of
	// that repository.
	Before, After string
	// Repo is the path of the repository that refs and commits are of; "" for those that are
	// published in the output.
	Repo string
}

// differ finds what is compared.
type differ struct {
	b      *Builder
	ctx    context.Context
	sink   event.Sink
	repo   string
	distro distro.Distro
	client *download.Client
	// near is a repository on this disk with objects that one on a server may have too.
	near *ostree.Repository
	// held are the layers in which the features of files are looked up.
	held layer.Holds
	// built are the manifests of the output, by the directories of their artifacts.
	built map[string]*publish.Manifest
}

// side is one of the two that are compared, with where its objects are.
type side struct {
	difference.Side
	objects ostree.Objects
}

// addSums adds the checksums of packages' files.
func (s *side) addSums(packages []publish.ManifestPackage) {
	if s.Sums == nil {
		s.Sums = map[distro.Package]string{}
	}
	for _, p := range packages {
		s.Sums[p.Package] = p.SHA256
	}
}

// Diff compares two systems.
func (b *Builder) Diff(ctx context.Context, o DiffOptions, sink event.Sink) (*difference.Difference, error) {
	d := &differ{b: b, ctx: ctx, sink: heard(sink), repo: o.Repo, distro: b.backend.Families[0], built: b.manifests()}
	defer d.held.Close()
	sides := make([]side, 2)
	// One on this disk first: it may have what is on a server.
	names := []string{o.Before, o.After}
	order := []int{0, 1}
	if isURL(names[0]) && !isURL(names[1]) {
		order = []int{1, 0}
	}
	for _, i := range order {
		var err error
		if sides[i], err = d.find(names[i]); err != nil {
			return nil, err
		}
		if repo, ok := sides[i].objects.(ostree.Repository); ok && d.near == nil {
			d.near = &repo
		}
	}
	options := difference.Options{Distro: d.distro, Package: d.packageFile}
	if sides[0].Tree != nil && sides[1].Tree != nil {
		options.Download = func() (*difference.Download, error) { return downloaded(sides[0], sides[1]) }
	}
	return difference.Compare(ctx, sides[0].Side, sides[1].Side, options)
}

// downloaded is what a machine with the commit of one side downloads from the repository of
// the other one.
func downloaded(before, after side) (*difference.Download, error) {
	repo, ok := after.objects.(ostree.Repository)
	if !ok {
		return nil, fmt.Errorf("%s is not on this machine, and servers list no sizes", after.Name)
	}
	if _, err := repo.Commit(before.Commit); err != nil {
		return nil, fmt.Errorf("the repository of %s does not have commit %.12s", after.Name, before.Commit)
	}
	t, err := repo.Between(before.Commit, after.Commit)
	if err != nil {
		return nil, err
	}
	d := &difference.Download{Objects: len(t.Objects), Bytes: t.Bytes()}
	if t.Delta != nil {
		d.Delta = t.Delta.Bytes()
	}
	return d, nil
}

func isURL(name string) bool {
	return strings.HasPrefix(name, "http://") || strings.HasPrefix(name, "https://")
}

// packageFile is the path of a package in the cache of downloads; "" if it is not there.
func (d *differ) packageFile(sum string) string {
	if len(sum) != 64 {
		return ""
	}
	file := filepath.Join(d.b.options.Cache, cache.Download(sum))
	if !exists(file) {
		return ""
	}
	return file
}

// manifests are those of all builds in the output that can be read.
func (b *Builder) manifests() map[string]*publish.Manifest {
	all := map[string]*publish.Manifest{}
	entries, err := os.ReadDir(b.options.Output)
	if err != nil {
		return all // nothing was built yet
	}
	for _, e := range entries {
		out := publish.OutputOf(b.options.Output, e.Name())
		if m, err := publish.ReadManifest(out); err == nil {
			all[out.Public] = m
		}
	}
	return all
}

// find finds one side by what was given for it.
func (d *differ) find(name string) (side, error) {
	where, rev, hasRev := strings.Cut(name, "#")
	info, err := os.Stat(where)
	isPath := err == nil && (strings.Contains(where, "/") || where == "." || strings.HasSuffix(where, ".json"))
	switch {
	case isURL(name):
		return d.remote(name, where, rev)
	case isPath && info.IsDir() && exists(filepath.Join(where, "objects")):
		return d.ofRepository(name, where, rev)
	case isPath && hasRev:
		return side{}, diag.Requestf("%s is not a repository, so it cannot have %q", where, rev)
	case isPath && info.IsDir():
		return d.ofOutput(name, where)
	case isPath:
		return d.ofFile(name)
	case strings.HasSuffix(where, ".json") || strings.HasPrefix(where, "/") || strings.HasPrefix(where, "."):
		return side{}, diag.Requestf("%s does not exist", where)
	case d.repo != "":
		return d.ofRepository(name, d.repo, name)
	}
	flavour := strings.TrimRight(name, "^")
	out := publish.OutputOf(d.b.options.Output, flavour)
	if m := d.built[out.Public]; m != nil {
		return d.ofBuild(name, m, out.Public, name[len(flavour):])
	}
	if slices.Contains(d.b.FlavourNames(), flavour) {
		if _, err := publish.ReadManifest(out); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return side{}, err
		}
		return side{}, NotBuilt(flavour)
	}
	return d.published(name)
}

// ofRepository is a commit of a repository on this disk.
func (d *differ) ofRepository(name, dir, rev string) (side, error) {
	repo, err := ostree.Open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return side{}, diag.Requestf("the repository %s does not exist", dir)
	}
	if err != nil {
		return side{}, err
	}
	sum, ref, err := revision(repo, dir, rev)
	if err != nil {
		return side{}, err
	}
	return d.ofCommit(name, repo, sum, ref)
}

// remote is a commit of a repository on a server.
func (d *differ) remote(name, source, rev string) (side, error) {
	if d.client == nil {
		archives, err := d.b.archives(d.ctx, d.distro, reporter{d.sink}, download.Once)
		if err != nil {
			return side{}, err
		}
		d.client = archives.client
	}
	repo, err := ostree.OpenRemote(d.ctx, d.client, source, d.near)
	if err != nil {
		return side{}, err
	}
	sum, ref, err := revision(repo, event.Mask(source), rev)
	if err != nil {
		return side{}, err
	}
	return d.ofCommit(event.Mask(name), repo, sum, ref)
}

// ofCommit is a commit, and what is known of its build.
func (d *differ) ofCommit(name string, objects ostree.Objects, sum, ref string) (side, error) {
	c, err := ostree.ReadCommit(objects, sum)
	if err != nil {
		return side{}, err
	}
	tree := ostree.TreeOf(objects, c)
	_, local := objects.(ostree.Repository)
	s := side{objects: objects, Side: difference.Side{
		Name: name, Kind: "commit", Commit: sum, Ref: ref, Version: c.Metadata["version"], Time: time.Unix(c.Timestamp, 0).UTC(), Tree: &tree, Whole: local,
	}}
	if s.Packages, s.Known, err = difference.InstalledIn(tree, d.distro.Database()); err != nil {
		return side{}, fmt.Errorf("%s: read the packages: %w", name, err)
	}
	if lines, ok := c.Metadata[commit.PackagesKey]; ok && !s.Known {
		s.Packages, s.Known = report.ParsePackages(lines), true
	}
	for public, m := range d.built {
		s.addSums(m.Packages)
		if m.Commit == sum {
			d.addBuild(&s.Side, m, public)
		}
	}
	return s, nil
}

// addBuild adds what only the manifest of a build has.
func (d *differ) addBuild(s *difference.Side, m *publish.Manifest, public string) {
	if !s.Known {
		s.Packages, s.Known = reported(m.Packages), true
	}
	if m.Listens != nil {
		s.Build, s.Listens, s.KernelArgs = true, m.Listens, m.KernelArgs
	}
	if s.Cause == nil && public == publish.OutputOf(d.b.options.Output, m.Flavour).Public {
		s.Cause = d.causes(m)
	}
}

// meant is the error about a name that is nothing that can be compared.
func (d *differ) meant(name string, refs []string) error {
	names := append(slices.Clone(refs), d.b.FlavourNames()...)
	near := ""
	if s := config.Suggest(name, names); s != "" {
		near = fmt.Sprintf("; did you mean %q?", s)
	} else if begun := config.Begun(name, names); len(begun) > 0 {
		near = "; these begin so: " + strings.Join(begun, ", ")
	}
	return diag.Requestf("%q is neither a flavour that was built nor a ref or commit of a published repository%s", name, near)
}
