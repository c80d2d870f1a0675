package trial

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/publish"
	"github.com/treewright/treewright/builder/treefs"
	"github.com/treewright/treewright/builder/vm"
)

// upgrade describes the upgrades, by way of the repository that is served.
func (b *Bench) upgrade(ctx context.Context, served string) *vm.Upgrade {
	u := &vm.Upgrade{From: b.Manifest.Commit, To: b.next.Commit, Broken: b.broken.Commit, Mended: b.mended.Commit, Publish: func(commit string) error {
		for _, made := range []*build.Commit{b.next, b.broken, b.mended} {
			if made.Commit == commit {
				return ostree.Publish(ctx, made.Repo, served, ostree.RecordPath(b.Dir, served))
			}
		}
		return fmt.Errorf("no commit %s was made", commit)
	}}
	if f := b.Subject.Spec.StageFeature("image"); f != nil {
		u.Tries = b.Subject.Spec.Parameters[f.Name]["boot_tries"].Int()
	}
	return u
}

// stageServed makes a copy of what the flavour publishes, by hard links, to
// which commits can be added, and returns its place.
func (b *Bench) stageServed() (string, error) {
	served := filepath.Join(b.Dir, "served")
	if err := os.RemoveAll(served); err != nil {
		return "", err
	}
	to := publish.OutputOf(served, b.Subject.Spec.Flavour.Name)
	if err := to.Make(); err != nil {
		return "", err
	}
	for _, a := range b.Manifest.Artifacts {
		link := treefs.LinkOrCopy
		if a.Kind != plan.FileArtifact {
			link = treefs.LinkTree
		}
		if err := link(filepath.Join(b.Output.Public, a.Name), filepath.Join(to.Public, a.Name)); err != nil {
			return "", fmt.Errorf("stage what is served: %w", err)
		}
	}
	return served, treefs.LinkOrCopy(b.Output.Manifest(), to.Manifest())
}

// address returns where to serve so that the machine's own remote leads there,
// and the URL by which the machine sees it.
func (b *Bench) address() (listen, base string, err error) {
	port := servedPort
	if b.next != nil {
		f := b.Subject.Spec.StageFeature("commit")
		remote := b.Subject.Spec.Parameters[f.Name]["remote_url"].String()
		u, err := url.Parse(remote)
		if remote != "" && (err != nil || u.Scheme != "http" || u.Hostname() != guestHost) {
			return "", "", diag.Requestf("to test an upgrade, the virtual machine must upgrade from this machine: leave remote_url of %s unset, or set it to http://%s:%s/%s, not %q, for example in a flavour that extends this one",
				f.Name, guestHost, servedPort, b.repository(), remote)
		}
		if remote != "" && u.Port() != "" {
			port = u.Port()
		}
	}
	return "127.0.0.1:" + port, "http://" + guestHost + ":" + port, nil
}
