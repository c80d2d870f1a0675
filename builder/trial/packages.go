package trial

import (
	"context"
	"net/url"
	"path/filepath"
	"slices"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/config"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/extend"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/serve"
	"github.com/treewright/treewright/builder/sign"
	"github.com/treewright/treewright/builder/stage/program"
	"github.com/treewright/treewright/builder/vm"
)

// buildLayered makes the commit that a machine with packages upgrades to.
func (b *Bench) buildLayered(ctx context.Context, sink event.Sink) error {
	first, err := b.first()
	if err == nil {
		b.next, err = b.succeed(ctx, first, "packages-test", vm.WriteSuccessor, sink)
	}
	return err
}

// packagesOf describes the test of packages, for a machine that gets the files of the directory served. stop ends the work of the server.
func (b *Bench) packagesOf(ctx context.Context, served, base string, say func(string)) (p *vm.Packages, stop func(), err error) {
	flavour := b.Subject.Spec.Flavour.Name
	repo := filepath.Join(served, flavour, b.repository())
	builder, err := b.builder.Into(served)
	if err != nil {
		return nil, nil, err
	}
	h, err := serve.New(served, nil, say)
	if err != nil {
		return nil, nil, err
	}
	stop = h.Extend(ctx, build.Extender{Builder: builder}, &config.Extend{
		Packages: vm.TestedPackages(b.Subject.Spec.Flavour.Distribution.Arch), Jobs: 1, Queue: 4, MostPackages: extend.MostPackages, Timeout: vm.ImageLimit,
	})
	p = &vm.Packages{
		SignedOnly: b.Subject.Spec.SignedOnly(), From: b.Manifest.Commit, To: b.next.Commit, Handler: h, Images: filepath.Join(served, flavour, extend.Dir), Mirrors: b.mirrors(),
		Publish: func() error {
			return b.signed(ctx, func(signer *sign.Signer) error {
				return ostree.Publish(ctx, b.next.Repo, repo, ostree.RecordPath(b.Dir, repo), signer)
			})
		},
	}
	if b.lead != nil || b.programServer() != "" {
		p.Settings = base + "/" + flavour
	}
	return p, stop, nil
}

// programServer is the server of images that the flavour names.
func (b *Bench) programServer() string {
	f := b.Subject.Spec.StageFeature(program.Stage)
	return b.Subject.Spec.Parameters[f.Name]["server"].String()
}

// mirrors are the hosts of the flavour's sources.
func (b *Bench) mirrors() (hosts []string) {
	for _, s := range b.Subject.Spec.Sources {
		for _, place := range s.URLs {
			if u, err := url.Parse(place); err == nil && !slices.Contains(hosts, u.Host) {
				hosts = append(hosts, u.Host)
			}
		}
	}
	return hosts
}
