package build

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/treewright/treewright/builder/cache"
	"github.com/treewright/treewright/builder/download"
	"github.com/treewright/treewright/builder/engine"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/extend"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/publish"
	"github.com/treewright/treewright/builder/stage/added"
	"github.com/treewright/treewright/builder/stage/planner"
)

// ExtendRequest asks for an image that adds packages to a published commit.
type ExtendRequest struct {
	// Flavour is the flavour whose repository has the commit; "" for any flavour that has it.
	Flavour string
	// Commit is the checksum, or its beginning; "" for the newest commit of the flavour.
	Commit   string
	Packages []string
	// Sources are the names of the sources that all packages of the image must come from; nil allows all sources of the flavour.
	Sources []string
	// Sink gets the events; nil discards them. It is not closed.
	Sink event.Sink
}

// Extended is a published image of packages.
type Extended struct {
	Document *extend.Document `json:"document"`
	// Flavour is the flavour of the commit.
	Flavour string `json:"flavour"`
	// Dir is the absolute path of the directory that [extend.Dir] describes, and Image the absolute path of the image.
	Dir   string `json:"dir"`
	Image string `json:"image"`
	// Signed reports whether the document has a signature.
	Signed bool `json:"signed"`
}

// Extend makes an image of packages above a commit, and publishes it beside the repository of the commit. The
// commit's tree is read from the repository: the layers of its build need not be in the cache. The error is an
// [*extend.Failure] for faults of the request.
func (b *Builder) Extend(ctx context.Context, q ExtendRequest) (*Extended, error) {
	r := reporter{heard(q.Sink)}
	ctx = event.Within(ctx, r.Sink)
	base, err := b.extendedCommit(ctx, q.Flavour, q.Commit, r)
	if err != nil {
		return nil, err
	}
	base.sources, base.pools = q.Sources, b.Output(base.flavour).Pools()
	return b.extend(ctx, base, q.Packages, r)
}

// extend makes and publishes an image of packages above a commit.
func (b *Builder) extend(ctx context.Context, base *extendedCommit, packages []string, r reporter) (*Extended, error) {
	request := base.request(packages)
	if err := request.Check(); err != nil {
		return nil, &extend.Failure{Reason: extend.BadRequest, Text: err.Error()}
	}
	s := base.above(request)
	unlock, err := Claim(ctx, b.Output(s), "these packages", r.say)
	if err != nil {
		return nil, err
	}
	defer unlock()
	p, err := b.prepareAbove(ctx, s, base, r)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	made, err := b.runAndPublish(ctx, p, r)
	if err != nil {
		return nil, unfit(err, request)
	}
	out, err := b.publishAbove(ctx, made, base, request)
	if err != nil {
		return nil, err
	}
	// Each set of packages would leave its image and tree there.
	if err := p.Output.Empty(); err != nil {
		return nil, fmt.Errorf("remove what was published: %w", err)
	}
	b.keepBudget(p, r)
	return out, errors.Join(publish.KeepExtensions(out.Dir, base.repo.Has), publish.SweepPrivate(b.options.Output, extend.Dir, time.Now().Add(-failedStay)))
}

// failedStay is how long the logs of packages that could not be added stay.
const failedStay = 7 * 24 * time.Hour

// prepareAbove finds the exact packages of an extension above a commit, and plans its steps.
func (b *Builder) prepareAbove(ctx context.Context, s *Subject, base *extendedCommit, r reporter) (*Prepared, error) {
	family, err := b.distro(s)
	if err != nil {
		return nil, err
	}
	p := &Prepared{Subject: s, Output: b.Output(s), distro: family, History: ostree.History{Repo: base.repo.Dir(), Accounts: base.accounts}}
	if p.Cache, err = cache.Open(b.options.Cache); err != nil {
		return nil, err
	}
	if err := p.planning(ctx, r.Sink, func() error { return b.planAbove(ctx, p, base, r) }); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// planAbove does the work of prepareAbove.
func (b *Builder) planAbove(ctx context.Context, p *Prepared, base *extendedCommit, r reporter) error {
	s := p.Subject
	var err error
	if p.signing, err = b.signing(ctx, s, r); err != nil {
		return err
	}
	archives, err := b.archives(ctx, p.distro, r, download.Patient)
	if err != nil {
		return err
	}
	have, err := base.packages(p.distro.Database())
	if err != nil {
		return err
	}
	base.readPool(p.distro, r)
	own, bootstrapper := base.hasTools(s.Spec, s.Method, p.distro, have), ""
	if own {
		err = checkRights() // nothing is bootstrapped, so this machine needs no other programs
	} else {
		bootstrapper, err = b.backend.Host(ctx, p.distro, r.Sink)
	}
	if err != nil {
		return err
	}
	if err := r.phase("resolve packages", func() error { return b.resolveAbove(ctx, p, base, have, own, archives, r) }); err != nil {
		return err
	}
	if err := base.bringPooled(ctx, p.distro, p.Packages, r); err != nil {
		return err
	}
	fetch := b.fetchHints(s.Spec.Sources, archives)
	if len(base.pool) > 0 {
		fetch.Pools = base.pools
	}
	p.Graph, err = added.Plan(planner.Request{
		Spec: s.Spec, Packages: p.Packages, History: p.History, Project: b.options.Tree, Method: s.Method, Bootstrapper: bootstrapper,
		Sources: b.sources(r, nil), Distro: p.distro, Fetch: fetch,
	}, added.Base{Tree: base.tree, Repo: base.repo.Dir()})
	return err
}

// publishAbove puts the image of an extension into the directory in which machines look for it: first the image, then the document, then the signature.
func (b *Builder) publishAbove(ctx context.Context, made *Made, base *extendedCommit, request extend.Request) (*Extended, error) {
	name := extend.Extension + ".raw"
	d := &extend.Document{Request: request, Arch: made.Subject.Spec.Flavour.Distribution.Arch, Added: made.Packages.Extensions[extend.Extension].Minus(made.Packages.System).Bare()}
	for _, a := range made.Manifest.Artifacts {
		if a.Name == name {
			d.Size, d.SHA256 = a.Size, a.SHA256
		}
	}
	d.Key, d.Notes = made.Graph.Key(imageStep), slices.Concat(base.notes, made.Outcome.Results[treeStep].Warnings)
	text, err := d.Encode()
	if err != nil {
		return nil, err
	}
	var signature []byte
	signer, err := b.Signer(ctx, made.Prepared)
	if err != nil {
		return nil, err
	}
	if signer != nil {
		signature, err = signer.Sign(ctx, "extension "+request.ID(), text)
		if err = errors.Join(err, signer.Close()); err != nil {
			return nil, fmt.Errorf("sign the list of the image: %w", err)
		}
	}
	out := &Extended{Document: d, Flavour: base.flavour.Name, Dir: filepath.Join(b.Output(base.flavour).Public, extend.Dir), Signed: signature != nil}
	out.Image = filepath.Join(out.Dir, filepath.FromSlash(d.ImageFile()))
	if err := publish.Extension(out.Dir, filepath.Join(made.Output.Public, name), d, text, signature); err != nil {
		return nil, fmt.Errorf("publish the image: %w", err)
	}
	return out, nil
}

// unfit is the failure of packages that cannot be installed above the commit, or cannot leave as an extension.
func unfit(err error, request extend.Request) error {
	var failed *engine.StepError
	if !errors.As(err, &failed) || !slices.Contains([]string{installStep, treeStep}, failed.Step) {
		return err
	}
	return &extend.Failure{Reason: extend.Unfit, Text: fmt.Sprintf("%s cannot be added to commit %.12s: %v", strings.Join(request.Packages, ", "), request.Commit, failed.Err), Err: err}
}
