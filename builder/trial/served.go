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
	"github.com/treewright/treewright/builder/treefs"
	"github.com/treewright/treewright/builder/vm"
)

// upgrade describes the upgrades, by way of the repository that is served.
func (b *Bench) upgrade(ctx context.Context, served string) *vm.Upgrade {
	publish := func(repo string, signer *sign.Signer) error {
		return ostree.Publish(ctx, repo, served, ostree.RecordPath(b.Dir, served), signer)
	}
	u := &vm.Upgrade{From: b.Manifest.Commit, To: b.next.Commit, Broken: b.broken.Commit, Mended: b.mended.Commit, Publish: func(commit string) error {
		for _, made := range []*build.Commit{b.next, b.broken, b.mended} {
			if made.Commit == commit {
				return b.signed(ctx, func(signer *sign.Signer) error { return publish(made.Repo, signer) })
			}
		}
		return fmt.Errorf("no commit %s was made", commit)
	}}
	if b.Keys() != nil {
		u.Refused = []vm.Refused{
			{Name: "unsigned", Publish: func() error { return publish(b.next.Repo, nil) }, Pattern: "GPG verification enabled, but no"},
			{Name: "strange-signature", Publish: func() error {
				return stranger(ctx, func(signer *sign.Signer) error { return publish(b.next.Repo, signer) })
			}, Pattern: "public key not found|not in trusted keyring"},
		}
	}
	if f := b.Subject.Spec.StageFeature("image"); f != nil {
		u.Tries = b.Subject.Spec.Parameters[f.Name]["boot_tries"].Int()
	}
	return u
}

// signed calls a function with the flavour's signer, nil for none.
func (b *Bench) signed(ctx context.Context, do func(*sign.Signer) error) error {
	signer, err := b.builder.Signer(ctx, b.Prepared)
	if err != nil {
		return err
	}
	if signer != nil {
		defer signer.Close()
	}
	return do(signer)
}

// stranger calls a function with a signer whose key nobody knows.
func stranger(ctx context.Context, do func(*sign.Signer) error) error {
	private, err := sign.Generate(ctx, "Stranger", "never")
	if err != nil {
		return err
	}
	signer, err := sign.Of(ctx, private)
	if err != nil {
		return err
	}
	defer signer.Close()
	return do(signer)
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
