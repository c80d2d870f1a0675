package trial

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/treewright/treewright/builder/build"
	"github.com/treewright/treewright/builder/event"
	"github.com/treewright/treewright/builder/publish"
)

// Built returns the manifest of what was built last of a subject, and the layers of
// QEMU's tree. The subject is built if it never was, or if it was without any of the
// images that it now has.
func Built(ctx context.Context, b *build.Builder, s *build.Subject, sink event.Sink) (m *publish.Manifest, tools []string, err error) {
	start, out := time.Now(), b.Output(s)
	if out.MadeBefore() {
		unlock, err := build.Claim(ctx, out, s.Flavour(), func(kind event.Kind, line string) {
			sink.Emit(event.Event{Time: time.Now(), Kind: kind, Line: line})
		})
		if err != nil {
			return nil, nil, err
		}
		unlock()
	}
	m, err = publish.ReadManifest(out)
	lacking := false
	if err == nil && len(s.Images) > 0 {
		_, found := s.Image(m)
		lacking = !found
	}
	if errors.Is(err, fs.ErrNotExist) || lacking {
		var made *build.Made
		if made, err = b.Publish(ctx, s, sink); err == nil {
			m = made.Manifest
		}
	}
	if err != nil {
		return nil, nil, err
	}
	if tools, err = qemuLayers(ctx, b, s, sink); err != nil {
		return nil, nil, err
	}
	sink.Emit(event.Event{Time: time.Now(), Kind: event.BuildFinished, Flavour: s.Flavour(), Duration: time.Since(start)})
	return m, tools, nil
}
