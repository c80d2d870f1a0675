package trial

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/vm"
)

// Bench is what a test of one flavour works with.
type Bench struct {
	*build.Made
	// Dir is .build/.private/FLAVOUR/test.
	Dir string

	builder *build.Builder
	tools   []string // the layers of QEMU's tree
	// next, broken and mended are the steps that made commits to upgrade to, one
	// after the other; nil without an upgrade.
	next, broken, mended *build.Commit
	// packages reports that next is for a test of packages that the machine adds to itself.
	packages bool
	// newKey is the private key whose signatures count for machines that run next; nil if
	// the image has no public keys.
	newKey []byte
	// lead leads to the image's remote_url; nil without one, or for the reason in
	// notLed.
	lead   *vm.Lead
	notLed error
}

// errUnsigned is the end of a sentence.
var errUnsigned = errors.New("the build has to be signed, because its machines have public keys and refuse what is not")

// Build builds all that a test needs, which can include commits that follow the image's.
func Build(ctx context.Context, builder *build.Builder, s *build.Subject, more More, sink event.Sink) (*Bench, error) {
	upgrade := more.Upgrade || more.Packages
	if upgrade && s.NoUpgrade != "" {
		return nil, diag.Requestf("%s", s.NoUpgrade)
	}
	if more.Packages {
		if err := addsPackages(s); err != nil {
			return nil, err
		}
	}
	start, b := time.Now(), &Bench{builder: builder, Dir: filepath.Join(builder.Output(s).Private, "test")}
	var err error
	b.lead, b.notLed = leadOf(s.Spec)
	if builder.NobodySigns(s) && (upgrade || b.lead != nil) {
		b.lead, b.notLed = nil, errUnsigned
	}
	if upgrade && b.notLed != nil {
		return nil, diag.Requestf("%s", "to test an upgrade, "+b.notLed.Error())
	}
	if b.Made, err = builder.Publish(ctx, s, sink); err != nil {
		return nil, err
	}
	if b.packages = more.Packages; b.packages {
		err = b.buildLayered(ctx, sink)
	} else if upgrade {
		err = b.buildNext(ctx, sink)
	}
	if err != nil {
		return nil, err
	}
	if b.tools, err = qemuLayers(ctx, builder, s, sink); err != nil {
		return nil, err
	}
	sink.Emit(event.Event{Time: time.Now(), Kind: event.BuildFinished, Flavour: s.Flavour(), Duration: time.Since(start)})
	return b, nil
}

// repository returns the name of the flavour's repository.
func (b *Bench) repository() string { return b.Manifest.Repository() }

// first is the commit of the image.
func (b *Bench) first() (*build.Commit, error) {
	if b.repository() == "" {
		return nil, diag.Requestf("flavour %q makes no commits, so there is nothing to upgrade", b.Subject.Spec.Flavour.Name)
	}
	return &build.Commit{Commit: b.Manifest.Commit, Repo: filepath.Join(b.Output.Public, b.repository())}, nil
}

// buildNext makes three commits that follow the image's.
func (b *Bench) buildNext(ctx context.Context, sink event.Sink) error {
	first, err := b.first()
	if err != nil {
		return err
	}
	if b.newKey, err = b.readNewKey(ctx); err != nil {
		return err
	}
	if b.next, err = b.succeed(ctx, first, "upgrade-test", b.writeNext(ctx), sink); err != nil {
		return err
	}
	if b.broken, err = b.succeed(ctx, b.next, "broken-test", vm.WriteBroken, sink); err != nil {
		return err
	}
	b.mended, err = b.succeed(ctx, b.broken, "mended-test", vm.WriteMended, sink)
	return err
}

// succeed makes a commit that follows another, with the files that write writes.
func (b *Bench) succeed(ctx context.Context, parent *build.Commit, name string, write func(dir string) error, sink event.Sink) (*build.Commit, error) {
	files := filepath.Join(b.Dir, name)
	if err := write(files); err != nil {
		return nil, err
	}
	made, err := b.builder.Successor(ctx, b.Prepared, *parent, name, files, sink)
	return &made, err
}
