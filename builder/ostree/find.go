package ostree

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/treewright/treewright/builder/download"
	"github.com/treewright/treewright/builder/treefs"
)

// FindHistory finds the newest commit of a system: in the repository of an
// earlier build below output, else in a tarball there, else in the archive
// at ArchiveURL, which is downloaded below cache. That there is none
// is believed only when nothing is there locally and either no archive is
// configured, or it answers 404 and FirstCommit allows a first commit. All
// else is an error: history must not be lost because a network is down.
// Whatever is found is looked at object by object, see [CheckRepository], and
// has to be as new as what was there before.
func FindHistory(ctx context.Context, n Names, output, cache string, client *download.Client, look Lookout) (History, error) {
	h, err := n.find(ctx, output, cache, client, look)
	if err == nil {
		err = n.believe(h, look)
	}
	return h, err
}

func (n Names) find(ctx context.Context, output, cache string, client *download.Client, look Lookout) (History, error) {
	dir := filepath.Join(output, n.Repo)
	repo, err := Open(dir)
	if err == nil {
		return n.readHistory(ctx, repo, "the repository "+dir, look)
	}
	if !errors.Is(err, fs.ErrNotExist) || treefs.Exists(dir) {
		return History{}, fmt.Errorf("look for history: %w", err)
	}
	tarball := filepath.Join(output, n.Archive)
	if treefs.Exists(tarball) {
		return n.unpackHistory(ctx, tarball, cache, "the tarball "+tarball, look)
	}
	if n.ArchiveURL == "" {
		return History{}, nil
	}
	source := n.ArchiveURL + "/" + n.Archive
	tarball, err = n.fetchArchive(ctx, client, source, cache)
	if errors.Is(err, errNoArchive) {
		if n.FirstCommit {
			return History{}, nil
		}
		return History{}, fmt.Errorf("look for history: %s: %w; %s", source, err, allowFirst)
	}
	if err != nil {
		return History{}, fmt.Errorf("look for history: %w", err)
	}
	defer os.Remove(tarball)
	h, err := n.unpackHistory(ctx, tarball, cache, source, look)
	if err == nil {
		err = n.believeSigned(ctx, h)
	}
	return h, err
}
