package build

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/treewright/treewright/builder/diag"
	"github.com/treewright/treewright/builder/event"
)

// Request asks for a build.
type Request struct {
	// Name is a flavour's, or a cname.
	Name string
	// Subject is what Name means, if that has been found out before.
	Subject *Subject
	// Sink gets what happens; nil discards it. It is not
	// closed.
	Sink event.Sink
}

// Build loads, resolves, plans, runs and publishes what was requested. The error is a
// *[diag.Faults] for faults of the configuration, and an *[engine.StepError] for a step
// that failed.
func (b *Builder) Build(ctx context.Context, q Request) (*Made, error) {
	start, r, s := time.Now(), reporter{heard(q.Sink)}, q.Subject
	name := q.Name
	made, err := func() (*Made, error) {
		if s == nil {
			var err error
			if s, err = b.lookUp(ctx, q.Name, r); err != nil {
				return nil, err
			}
		}
		name = s.Flavour()
		return b.Publish(ctx, s, r.Sink)
	}()
	if err != nil {
		r.emit(event.Event{Kind: event.BuildFailed, Flavour: name, Duration: time.Since(start), Error: gist(err)})
		return nil, err
	}
	for _, a := range made.Manifest.Artifacts {
		r.emit(event.Event{Kind: event.Made, Line: filepath.Join(made.Output.Public, a.Name), Total: a.Size, Key: a.SHA256, Title: a.Description})
	}
	// The next build may need the space.
	made.Close()
	r.emit(event.Event{Kind: event.BuildFinished, Flavour: name, Duration: time.Since(start)})
	return made, nil
}

// lookUp finds out what a name means in the tree as it is now.
func (b *Builder) lookUp(ctx context.Context, name string, r reporter) (*Subject, error) {
	project, warnings, err := b.Load()
	if err != nil {
		return nil, err
	}
	s, err := b.Resolve(ctx, project, name)
	if err != nil {
		return nil, err
	}
	if err := b.CheckSecrets(ctx, s); err != nil {
		return nil, err
	}
	for _, d := range slices.Concat(warnings, s.Warnings) {
		r.warn(d.Error())
	}
	return s, nil
}

// gist is an error in a line; the caller has the whole of it.
func gist(err error) string {
	var faults *diag.Faults
	if errors.As(err, &faults) {
		if len(faults.List) == 1 {
			return "1 fault in the configuration"
		}
		return fmt.Sprintf("%d faults in the configuration", len(faults.List))
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
