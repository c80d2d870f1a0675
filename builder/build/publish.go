package build

import (
	"context"
	"errors"
	"fmt"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/engine"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/layer"
	"github.com/treewright/treewright/builder/ostree"
	"github.com/treewright/treewright/builder/publish"
	"github.com/treewright/treewright/builder/sign"
	"github.com/treewright/treewright/builder/stage/commit"
)

// Made is a build that was published.
type Made struct {
	*Prepared
	Manifest *publish.Manifest
	Outcome  *engine.Outcome
	// Key is the key that signed the build; zero for an unsigned one.
	Key sign.Key
}

// Keys are the public keys that machines have; nil for none.
func (m *Made) Keys() *sign.Keyring { return m.signing.keys }

// Publish prepares a subject, runs the missing steps and publishes the artifacts,
// while no other process builds it. The caller closes the result.
func (b *Builder) Publish(ctx context.Context, s *Subject, sink event.Sink) (*Made, error) {
	sink = heard(sink)
	ctx = event.Within(ctx, sink)
	r := reporter{sink}
	unlock, err := Claim(ctx, b.Output(s), s.Flavour(), r.say)
	if err != nil {
		return nil, err
	}
	defer unlock()
	made, err := b.prepareAndPublish(ctx, s, r)
	if err != nil {
		b.Output(s).Forget()
	}
	return made, err
}

func (b *Builder) prepareAndPublish(ctx context.Context, s *Subject, r reporter) (*Made, error) {
	p, err := b.Prepare(ctx, s, r.Sink)
	if err != nil {
		return nil, err
	}
	made, err := b.publish(ctx, p, r)
	if err != nil {
		p.Close()
		return nil, err
	}
	return made, nil
}

// publish runs and publishes a plan, for Publish.
func (b *Builder) publish(ctx context.Context, p *Prepared, r reporter) (*Made, error) {
	spec, private := p.Subject.Spec, p.Output.Private
	names, _ := commit.Names(spec)
	// This comes first, because the next steps can fail.
	if err := ostree.RememberHeads(names, private, p.History); err != nil {
		return nil, err
	}
	made, err := b.runAndPublish(ctx, p, r)
	if err != nil {
		return nil, err
	}
	// All is published. Errors of the notes for later builds do not make this build fail.
	note := func(err error, lack string) {
		if err != nil {
			r.warn(fmt.Sprintf("%v; the build is published, but %s", err, lack))
		}
	}
	note(ostree.RememberHeads(names, private, ostree.History{Head: made.Manifest.Commit, Others: p.History.Others}),
		"the next build will not notice if the history was set back")
	if known := p.History.Checked; known != nil && len(known.Bad) > 0 {
		r.note("the damaged objects were replaced, and the repository is intact again")
	}
	note(b.remember(ctx, p), "later plans cannot show what has changed since")
	return made, event.Timed(ctx, "keep the cache's budget", func() error { b.keepBudget(p, r); return nil })
}

// runAndPublish makes a flavour's artifacts and publishes them. A result that
// turns out to be damaged when it is published is made again, once.
func (b *Builder) runAndPublish(ctx context.Context, p *Prepared, r reporter) (*Made, error) {
	signer, verity, err := b.signers(ctx, p)
	if err != nil {
		return nil, err
	}
	if signer != nil {
		defer signer.Close()
	}
	for again := false; ; again = true {
		out, err := b.Run(ctx, p, r.Sink, b.targets(p))
		if err != nil {
			return nil, err
		}
		if err := p.fromTheFuture(out); err != nil {
			return nil, err
		}
		m := p.manifest()
		done := &publish.Finished{
			Store: p.Cache.Store, Graph: p.Graph, Results: out.Results, Ran: out.Ran, Manifest: m, Checked: p.History.Checked, Names: p.Subject.Names, Pools: p.distro, Pool: p.pool(), Say: r.warn,
			Signer: signer, Keys: p.signing.keys, SignVerity: verity, Unsigned: b.unsigned(p),
		}
		err = event.Timed(ctx, "publish", func() error { return done.Publish(ctx, p.Output) })
		var damage *layer.Damage
		if errors.As(err, &damage) && !again {
			continue
		}
		if err != nil {
			return nil, err
		}
		noteSigned(done.Signatures, r)
		notePool(p, m, r)
		return &Made{p, m, out, done.Signatures.Key}, nil
	}
}

// targets are the steps that have to have a result.
func (b *Builder) targets(p *Prepared) []string {
	targets := p.Graph.Targets()
	if s := p.Graph.Step(treeStep); s != nil && len(s.Artifacts) == 0 {
		targets = append(targets, treeStep) // for its warnings, which are the notes on the image
	}
	if b.options.AllLayers {
		for _, s := range p.steps() {
			if s.Tree {
				targets = append(targets, s.ID)
			}
		}
	}
	return targets
}

// notePool reports the packages that machines may add to the commit.
func notePool(p *Prepared, m *publish.Manifest, r reporter) {
	if len(m.Pool) == 0 || m.Commit == "" {
		return
	}
	var bytes int64
	for _, a := range p.pool() {
		bytes += a.Size
	}
	r.note("the pool of commit %.12s has %s (%s)", m.Commit, diag.Counted(len(m.Pool), "package"), event.FormatBytes(bytes))
}

// noteSigned reports unexpected signatures: signatures of earlier commits, and a signature that is
// missing although the repository was signed before.
func noteSigned(s publish.Signatures, r reporter) {
	if earlier := len(s.Repository.Commits) - 1; earlier > 0 {
		r.note("%s of the history had no valid signature, and were signed as well", diag.Counted(earlier, "earlier commit"))
	}
	if s.Repository.Dropped {
		r.warn("the repository was signed before, and its summary is not any more: machines that check signatures refuse it")
	}
}
