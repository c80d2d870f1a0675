package trial

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/publish"
	"github.com/treewright/treewright/builder/serve"
	"github.com/treewright/treewright/builder/stage/commit"
	"github.com/treewright/treewright/builder/vm"
)

// Newest builds a subject, as far as it is not built, and returns the layers of QEMU's tree.
func Newest(ctx context.Context, b *build.Builder, s *build.Subject, sink event.Sink) (tools []string, err error) {
	start := time.Now()
	if _, err := b.Publish(ctx, s, sink); err != nil {
		return nil, err
	}
	if tools, err = qemuLayers(ctx, b, s, sink); err != nil {
		return nil, err
	}
	sink.Emit(event.Event{Time: time.Now(), Kind: event.BuildFinished, Flavour: s.Flavour(), Duration: time.Since(start)})
	return tools, nil
}

// Take has a machine that another process runs take the newest commit of a subject, and then
// opens a shell in it, or runs the command.
func (w Machine) Take(ctx context.Context, b *build.Builder, s *build.Subject, r *Running, tools []string) error {
	built := time.Now()
	dir, done, err := throwAway(ctx, b.Output(s).Private)
	if err != nil {
		return err
	}
	g := vm.Guest{Tools: tools, Dir: dir, Addr: r.SSH, Key: vm.KeyPath(vm.Job{Dir: r.dir}.Shared()), Term: w.Shell.Terminal}
	if err = w.take(ctx, b, s, r, g, built); err == nil {
		err = g.Shell(ctx, w.Command, w.whileAlive(r, g))
	}
	if errors.Is(err, vm.ErrEnded) {
		err = fmt.Errorf("%w: it was switched off, or the `run` that started it was ended", err)
	}
	return errors.Join(err, done())
}

// whileAlive returns the machine's restarts, without waiting for one that has ended.
func (w Machine) whileAlive(r *Running, g vm.Guest) vm.Restarts {
	restarts := r.restarts(g, w.Meanwhile)
	wait := restarts.Wait
	restarts.Wait = func(ctx context.Context) error {
		ctx, stop := context.WithCancelCause(ctx)
		defer stop(nil)
		go r.watch(ctx, stop)
		return wait(ctx)
	}
	return restarts
}

// watch calls stop when the machine has ended.
func (r Running) watch(ctx context.Context, stop context.CancelCauseFunc) {
	for ctx.Err() == nil {
		if !r.alive() {
			stop(vm.ErrEnded)
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// take serves the build, and has the machine take it, while no other process does.
func (w Machine) take(ctx context.Context, b *build.Builder, s *build.Subject, r *Running, g vm.Guest, built time.Time) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	go r.watch(ctx, stop)
	unlock, err := r.lock(ctx, func() { w.Say("another `run` has the machine take a commit; this one continues when it has") })
	if err != nil {
		return err
	}
	defer unlock()
	// Now, as another build may have published while this one waited.
	m, err := publish.ReadManifest(b.Output(s))
	if err != nil {
		return err
	}
	h, err := serve.New(b.Output(s).Root(), []string{s.Flavour()}, w.Say)
	if err != nil {
		return err
	}
	addr, served, err := serveHere(ctx, h)
	if err != nil {
		return err
	}
	defer func() { stop(nil); <-served }()
	if err := w.answers(ctx, r, g); err != nil {
		return err
	}
	names, _ := commit.Names(s.Spec)
	return g.Take(ctx, vm.Newer{
		URL: "http://" + vm.Host + addr + "/" + s.Flavour() + "/" + m.Repository(), Ref: names.Ref, Commit: m.Commit,
		Began: func() error {
			w.Say(fmt.Sprintf("it is asked %.1f s after the end of the build", time.Since(built).Seconds()))
			return r.begin()
		},
		Alive: r.alive, Limit: r.limit(), Say: w.Say,
	})
}

// answers waits until the ssh server of the machine answers, which may be booting.
func (w Machine) answers(ctx context.Context, r *Running, g vm.Guest) error {
	if err := g.Wait(ctx, 3*time.Second); !errors.Is(err, vm.ErrNoSSH) {
		return err
	}
	w.Say(fmt.Sprintf("waiting for the machine's ssh server, for %s at most", r.limit()))
	err := g.Wait(ctx, r.limit())
	if errors.Is(err, vm.ErrNoSSH) {
		err = fmt.Errorf("%w; --new starts another machine", err)
	}
	return err
}

// serveHere serves on a free port of this machine until ctx ends, and returns the port, after
// a colon. The port of [Listen] may be another flavour's.
func serveHere(ctx context.Context, h http.Handler) (port string, served <-chan struct{}, err error) {
	ready, failed, done := make(chan string, 1), make(chan error, 1), make(chan struct{})
	go func() {
		defer close(done)
		if err := serve.Serve(ctx, "127.0.0.1:0", h, func(addr string) { ready <- addr }); err != nil {
			failed <- err
		}
	}()
	select {
	case addr := <-ready:
		return addr[len("127.0.0.1"):], done, nil
	case err := <-failed:
		return "", nil, err
	case <-ctx.Done():
		return "", nil, context.Cause(ctx)
	}
}
