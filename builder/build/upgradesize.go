package build

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/publish"
	"github.com/treewright/treewright/builder/report"
	"github.com/treewright/treewright/builder/stage/machine"
)

// UpgradeSize is what machines download to get from one commit to the last one, in bytes.
// Each list adds up to Bytes, the size of the objects.
type UpgradeSize struct {
	From    string `json:"from"`
	To      string `json:"to"`
	Objects int    `json:"objects"`
	Bytes   int64  `json:"bytes"`
	// Delta is the size of the static delta between the commits with the objects that it
	// refers to, nil if the repository has no such delta.
	Delta    *int64        `json:"delta_bytes,omitempty"`
	Features []report.Item `json:"features"`
	Packages []report.Item `json:"packages"`
}

// Download is the number of bytes that are downloaded: of the static delta, if there is one.
func (u *UpgradeSize) Download() int64 {
	if u.Delta != nil {
		return *u.Delta
	}
	return u.Bytes
}

// The items for objects that neither a package nor a step of a feature wrote.
const (
	directoryItem = "directories and the commit"
	initramfsItem = "the initramfs"
	committedItem = "files made for the commit"
)

// UpgradeSize returns what machines that have the commit from download to get the one of
// the last build. From is a ref, or the beginning of a commit's checksum; "" is the parent
// of the last build's commit. The results of the last build must be in the cache.
func (b *Builder) UpgradeSize(p *Prepared, from string) (*UpgradeSize, error) {
	m, err := publish.ReadManifest(p.Output)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, NotBuilt(p.Subject.Name)
	}
	if err != nil {
		return nil, err
	}
	repo, err := b.repositoryOf(p.Subject, m)
	if err != nil {
		return nil, err
	}
	start, err := startOf(repo, m, from)
	if err != nil {
		return nil, err
	}
	t, err := repo.Between(start, m.Commit)
	if err != nil {
		return nil, err
	}
	u := &UpgradeSize{From: start, To: m.Commit, Objects: len(t.Objects), Bytes: t.Bytes()}
	if t.Delta != nil {
		bytes := t.Delta.Bytes()
		u.Delta = &bytes
	}
	return u, p.attribute(u, t.Objects, m)
}

// repositoryOf is the published repository of a build.
func (b *Builder) repositoryOf(s *Subject, m *publish.Manifest) (ostree.Repository, error) {
	name := m.Repository()
	if m.Commit == "" || name == "" {
		return ostree.Repository{}, diag.Requestf("%s has no commit, because none of its features has the stage commit, so nothing can be upgraded", s.Name)
	}
	repo, err := ostree.Open(b.Artifact(s, name))
	if errors.Is(err, fs.ErrNotExist) {
		return repo, diag.Suggest(fmt.Errorf("the repository of %s was removed", s.Name), s.Name, "publishes it again")
	}
	return repo, err
}

// startOf is the commit that machines upgrade from.
func startOf(repo ostree.Repository, m *publish.Manifest, from string) (string, error) {
	last, err := repo.Commit(m.Commit)
	if err != nil {
		return "", err
	}
	if from == "" {
		if last.Parent == "" {
			return "", diag.Requestf("commit %.12s is the first one of %s, so there is nothing to upgrade from; --from names another ref or commit", m.Commit, m.Ref)
		}
		from = last.Parent
	}
	sum, _, err := named(repo, "--from", from)
	if err != nil || sum != "" {
		return sum, err
	}
	if ostree.IsAbbreviation(from) {
		return "", diag.Requestf("--from: the repository has no commit %s", from)
	}
	refs, err := repo.Refs()
	if err != nil {
		return "", err
	}
	meant := ""
	if near := config.Suggest(from, slices.Sorted(maps.Keys(refs))); near != "" {
		meant = fmt.Sprintf("; did you mean %q?", near)
	}
	return "", diag.Requestf("--from: %q is neither a ref of the repository nor the beginning of a commit%s", from, meant)
}

// attribute fills in which features and packages objects come from.
func (p *Prepared) attribute(u *UpgradeSize, objects []ostree.Fetched, m *publish.Manifest) error {
	files, err := p.sized(reported(m.Packages))
	if err != nil {
		return err
	}
	known := map[string]sizedFile{}
	for _, f := range files {
		for _, at := range machine.Committed(machine.Canonical(f.path)) {
			known[at] = f
		}
	}
	features, ofPackages := map[string]int64{}, map[string]int64{}
	for _, o := range objects {
		f, ok := known[o.Path]
		switch {
		case !strings.HasSuffix(o.Name, ".filez"):
			f = sizedFile{group: directoryItem}
		case strings.HasSuffix(o.Path, "/initramfs.img"):
			f = sizedFile{group: initramfsItem}
		case !ok:
			f = sizedFile{group: committedItem}
		}
		features[f.group] += o.Bytes
		ofPackages[cmp.Or(f.pkg, noPackage)] += o.Bytes
	}
	u.Features, u.Packages = largest(features), largest(ofPackages)
	return nil
}
