package trial

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/plan"
	"github.com/treewright/treewright/builder/publish"
	"github.com/treewright/treewright/builder/sign"
	"github.com/treewright/treewright/builder/stage/commit"
	"github.com/treewright/treewright/builder/treefs"
	"github.com/treewright/treewright/builder/vm"
)

// upgrade describes the upgrades, by way of the repository that is served.
func (b *Bench) upgrade(ctx context.Context, served string) (*vm.Upgrade, error) {
	publish := func(repo string, signer *sign.Signer) error {
		return ostree.Publish(ctx, repo, served, ostree.RecordPath(b.Dir, served), signer)
	}
	u := &vm.Upgrade{From: b.Manifest.Commit, To: b.next.Commit, Broken: b.broken.Commit, Mended: b.mended.Commit, Publish: func(sum string) error {
		for _, made := range []*build.Commit{b.next, b.broken, b.mended} {
			if made.Commit == sum {
				return b.signed(ctx, func(signer *sign.Signer) error { return publish(made.Repo, signer) })
			}
		}
		return fmt.Errorf("no commit %s was made", sum)
	}}
	if f := b.Subject.Spec.StageFeature("image"); f != nil {
		u.Tries = b.Subject.Spec.Parameters[f.Name]["boot_tries"].Int()
	}
	if b.Keys() == nil {
		return u, nil
	}
	u.Before = []vm.Offer{
		{Name: "refuses-unsigned", Publish: func() error { return publish(b.next.Repo, nil) }, Fails: true, Pattern: "GPG verification enabled, but no"},
		{Name: "refuses-strange-signature", Publish: func() error {
			return stranger(ctx, func(signer *sign.Signer) error { return publish(b.next.Repo, signer) })
		}, Fails: true, Pattern: strangeKey},
	}
	names, _ := commit.Names(b.Subject.Spec)
	r := &rotation{
		repo: served, ref: names.Ref, publish: publish,
		from: build.Commit{Commit: b.Manifest.Commit, Repo: filepath.Join(b.Output.Public, b.repository())}, next: *b.next, after: *b.broken,
		old: func(do func(*sign.Signer) error) error { return b.signed(ctx, do) },
		new: func(do func(*sign.Signer) error) error { return signedBy(ctx, b.newKey, do) },
	}
	u.Rotate = r.offers
	return u, r.begin()
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

// address returns where to serve all artifacts, and the URL by which the machine sees
// that. The server of remote_url may have taken the usual port.
func (b *Bench) address() (listen, base string) {
	port := servedPort
	if b.lead != nil && b.lead.Site.Addr == netip.MustParseAddrPort(Listen) {
		port = "8081"
	}
	return "127.0.0.1:" + port, "http://" + vm.Host + ":" + port
}
